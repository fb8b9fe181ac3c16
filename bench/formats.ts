import { parseArgs } from "node:util";
import nodePolars from "nodejs-polars";
import { formatOf } from "../lib/format/index.ts";
import { startSchemaRegistry } from "../test/support/schema-registry.ts";

const HELP = `node bench/main.ts formats [options]
  Reading and writing rows in every format, in memory: rows per second of CPU (all threads), and beside JSON. Rows are those of a phone: text, instant, three floats.
  --rows N    a batch (20000)
  --batches N (20); the fastest tenth counts
  --only a,b  formats`;

const SCHEMA = { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", y: "Float64", z: "Float64" };

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: "string", default: "20000" },
      batches: { type: "string", default: "20" },
      only: { type: "string", default: "json,avro,protobuf,csv" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [rows, batches] = [Number(values.rows), Number(values.batches)];
  const registry = await startSchemaRegistry();
  process.env.SCHEMA_REGISTRY_URL = registry.url;
  try {
    const frame = rowsOf(rows);
    console.log(
      `| format | bytes a row | read, M rows/CPU s | beside JSON | written | beside JSON |\n|---|---:|---:|---:|---:|---:|`,
    );
    let json: readonly [number, number] | undefined;
    for (const name of values.only.split(",")) {
      const format = formatOf(name);
      const encoded = format.encode(frame, frame.columns, "bench-formats");
      const columns = { count: rows, keys: encoded, values: encoded, timestamps: new Float64Array(rows) };
      const read = await fastest(batches, () => {
        const { frame: made, bad } = format.decode(columns, SCHEMA);
        if (made.height !== rows || bad.length > 0) throw new Error(`${name}: ${bad[0]?.reason}`);
      });
      const written = await fastest(batches, () => void format.encode(frame, frame.columns, "bench-formats"));
      json ??= [read, written];
      const [million, ratio] = [
        (us: number) => (rows / us).toFixed(2),
        (a: number, b: number) => `${(a / b).toFixed(2)}x`,
      ];
      console.log(
        `| ${name} | ${(encoded.bytes.length / rows).toFixed(0)} | ${million(read)} | ${ratio(json[0], read)} | ${million(written)} | ${ratio(json[1], written)} |`,
      );
    }
  } finally {
    await registry.stop();
  }
}

/** Microseconds of CPU of the fastest tenth of the runs. */
async function fastest(batches: number, run: () => void): Promise<number> {
  const taken: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    taken.push(user + system);
  }
  return taken.sort((a, b) => a - b)[Math.floor(batches / 10)]!;
}

function rowsOf(rows: number): ReturnType<typeof nodePolars.DataFrame> {
  const at = Float64Array.from({ length: rows }, (_, i) => i);
  const axis = (name: string, phase: number) =>
    nodePolars.Series(
      name,
      at.map((i) => Math.round(Math.sin(i * 0.37 + phase) * 1e4) / 1e4 || 0), // no minus zero
    );
  const devices = Array.from(at, (i) => `phone-${String(i % 1000).padStart(4, "0")}`);
  const instants = nodePolars.Series(
    "timestamp",
    at.map((i) => 1_700_000_000_000 + Math.floor(i / 10)),
  );
  return nodePolars.DataFrame([
    nodePolars.Series("device", devices, nodePolars.Utf8),
    instants.cast(nodePolars.Int64).cast(nodePolars.Datetime("ms")),
    axis("x", 0),
    axis("y", 1),
    axis("z", 2),
  ]);
}
