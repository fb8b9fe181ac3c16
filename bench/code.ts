import { parseArgs } from "node:util";
import nodePolars from "nodejs-polars";
import type { StreamFrame } from "../lib/frame/stream-frame.ts";
import { pl, topic } from "../lib/index.ts";
import { compile } from "../lib/operators/index.ts";
import { sourcesOf } from "../lib/plan/nodes/plan-node.ts";
import { rowsSchema } from "../lib/run/source/index.ts";
import { MemoryStore } from "../lib/state/memory-store.ts";

const HELP = `node bench/main.ts code [options]
  Rows a second of CPU (all threads) through map and flatMap, over columns in memory: text, instant and three floats, all five given again by code.
  --rows N    a batch (50000)
  --batches N (40); the fastest tenth counts
  --only TEXT only cases with this in their names`;

const SCHEMA = { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", y: "Float64", z: "Float64" } as const;

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: "string", default: "50000" },
      batches: { type: "string", default: "40" },
      only: { type: "string", default: "" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [rows, batches] = [Number(values.rows), Number(values.batches)];
  const phone = () => topic("bench-code", { key: "device", schema: SCHEMA });
  const cases: Readonly<Record<string, (frame: StreamFrame) => StreamFrame>> = {
    "map, five columns given again": (frame) =>
      frame.map(
        (row: any) => ({ device: row.device, timestamp: row.timestamp, x: row.x, y: row.y, z: row.x + row.y + row.z }),
        { schema: SCHEMA },
      ),
    "map, one given, the others kept": (frame) =>
      frame.map((row: any) => ({ total: row.x + row.y + row.z }), { schema: { total: "Float64" }, keep: true }),
    "flatMap, five columns given again": (frame) =>
      frame.flatMap(
        (row: any) => [{ device: row.device, timestamp: row.timestamp, x: row.x, y: row.y, z: row.x + row.y + row.z }],
        { schema: SCHEMA },
      ),
  };
  console.log(`batches of ${rows.toLocaleString("en")} rows\n\n| case | M rows per CPU second |\n|---|---:|`);
  for (const [name, make] of Object.entries(cases).filter(([name]) => name.includes(values.only))) {
    const sink = make(phone()).to("bench-code-out", { key: "device" });
    const [node] = sourcesOf([sink.node]);
    const program = compile([sink.node], new Map([[node!.id, rowsSchema(node!, SCHEMA)]]));
    const task = await program.open((spec) => new MemoryStore(spec));
    const taken: number[] = [];
    for (let batch = 0; batch < batches; batch++) {
      const frame = rowsOf(rows, batch);
      const before = process.cpuUsage();
      const { rows: made } = await task.process(new Map([[node!.id, frame]]));
      const { user, system } = process.cpuUsage(before);
      if (made[0]?.frame.height !== rows) throw new Error(`${made[0]?.frame.height} of ${rows} rows came out`);
      taken.push(user + system);
    }
    taken.sort((a, b) => a - b);
    console.log(`| ${name} | ${(rows / taken[Math.floor(batches / 10)]!).toFixed(2)} |`);
  }
}

/** Rows as a source reader gives them: a thousand devices, ten readings a second each. */
function rowsOf(rows: number, batch: number): ReturnType<typeof nodePolars.DataFrame> {
  const at = Float64Array.from({ length: rows }, (_, i) => batch * rows + i);
  const axis = (name: string, phase: number) =>
    nodePolars.Series(
      name,
      at.map((i) => Math.sin(i * 0.37 + phase)),
    );
  const time = pl.Series(
    "timestamp",
    at.map((i) => 1_700_000_000_000 + Math.floor(i / 10)),
  ) as nodePolars.Series;
  const devices = Array.from(at, (i) => `phone-${String(i % 1000).padStart(4, "0")}`);
  const device = nodePolars.Series("device", devices, nodePolars.Utf8);
  const timestamp = time.cast(nodePolars.Int64).cast(nodePolars.Datetime("ms"));
  const values = nodePolars.DataFrame([device, timestamp, axis("x", 0), axis("y", 1), axis("z", 2)]);
  return values.withColumns(
    nodePolars.col("device").alias("_key"),
    nodePolars.col("timestamp").alias("_time"),
    nodePolars.lit(0).cast(nodePolars.Int32).alias("_partition"),
    nodePolars.intRange(0, rows).cast(nodePolars.Int64).alias("_offset"),
  );
}
