import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pl from "nodejs-polars";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { simulatePackedCar } from "../kernel/simulate/index.ts";
import { Cluster, Producer, partitionByKey } from "../lib/log/index.ts";
import { frameReplaced } from "../lib/polars/collect-frames.ts";
import { promoted, started, untilEnd } from "./peers/millrace.ts";
import { measure } from "./side-by-side/measure.ts";
import { readOutput } from "./side-by-side/read-output.ts";

const HELP = `node bench/main.ts car [options]
  Packed telemetry of a racing car, 1.5 kHz a channel, to the mean, least and greatest value of every channel and second: samples per second from the
  first message to the last commit, the output checked against batch Polars, beside 75 M samples/s (50,000 channels).
  --format arrow|json   (arrow)
  --channels N          (5000)
  --seconds N           of event time (10)
  --guarantee G         at-least-once (default) or exactly-once
  --workers N           processes of the job (1)`;

const HERTZ = 1500;
const SPAN = 100;
const PER_UNIT = 50;
const PARTITIONS = 4;
/** The mean of a Float32 column is a Float32. */
const FLOAT_32 = 2 ** -23;
const WHOLE_CAR = 75e6;
const OUTPUT = { window_start: "Utf8", channel: "Int64", n: "Int64", mean: "Float64", min: "Float64", max: "Float64" };

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      format: { type: "string", default: "arrow" },
      channels: { type: "string", default: "5000" },
      seconds: { type: "string", default: "10" },
      guarantee: { type: "string", default: "at-least-once" },
      workers: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const format = values.format === "json" ? "json" : "arrow";
  const [channels, seconds] = [Number(values.channels), Number(values.seconds)];
  const say = (line: string) => console.error(line);
  const notebook = format === "arrow" ? "car" : "car-json";
  await promoted(notebook, say);
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
  const broker = await EmbeddedBroker.start({ progress: say, partitions: PARTITIONS });
  let cluster: Cluster | undefined;
  try {
    cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
    for (const topic of ["bench-car", "bench-car-out"])
      await cluster.createTopic(topic, { partitions: PARTITIONS, config: { "retention.ms": "-1" } });
    const samples = channels * HERTZ * seconds;
    say(`producing ${samples.toLocaleString("en")} samples …`);
    const begun = performance.now();
    const count = Math.ceil(channels / (format === "json" ? 1 : PER_UNIT)) * ((seconds * 1000) / SPAN);
    const bytes = await produce(cluster, { format, channels, count });
    say(
      `${(bytes / samples).toFixed(1)} bytes per sample, written in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
    );
    const stateDir = path.join(work, "state");
    await mkdir(stateDir);
    const run = {
      guarantee: values.guarantee === "exactly-once" ? ("exactly-once" as const) : ("at-least-once" as const),
      servers: broker.bootstrapServers,
      input: "bench-car",
      output: "bench-car-out",
      id: `bench-${notebook}`,
      stateDir,
      commitInterval: 1000,
    };
    const measured = await measure(started(notebook, run, untilEnd(Number(values.workers))), 120_000 + samples / 1000);
    say(`${measured.secondsSinceFirst.toFixed(1)} s since the first message; batch Polars makes the same …`);
    await check(await readOutput(cluster, "bench-car-out", OUTPUT), { format, channels, count });
    const rate = samples / measured.secondsSinceFirst;
    const million = (value: number) => (value / 1e6).toFixed(2);
    console.log(`| format | channels | samples | M samples/s | of a whole car (75 M/s) | MB/s | CPU s | peak MiB |`);
    console.log(`|---|---:|---:|---:|---:|---:|---:|---:|`);
    console.log(
      `| ${format} | ${channels} | ${samples.toLocaleString("en")} | ${million(rate)} | ${((100 * rate) / WHOLE_CAR).toFixed(1)}% | ` +
        `${million((bytes / samples) * rate)} | ${measured.cpuSeconds.toFixed(1)} | ${(measured.peakBytes / 2 ** 20).toFixed(0)} |`,
    );
  } finally {
    await cluster?.close();
    await broker.stop();
    await rm(work, { recursive: true, force: true });
  }
}

interface Car {
  readonly format: "arrow" | "json";
  readonly channels: number;
  readonly count: number;
}

async function produce(cluster: Cluster, car: Car): Promise<number> {
  const producer = await Producer.create(cluster);
  let bytes = 0;
  for (const columns of simulatePackedCar({ ...car, perUnit: PER_UNIT, hertz: HERTZ, span: SPAN })) {
    bytes += columns.values.bytes.length;
    for (const [partition, part] of partitionByKey(columns, PARTITIONS).entries())
      await producer.send("bench-car", partition, part);
    await letGo(columns.values.bytes.length);
  }
  await producer.flush();
  await producer.close();
  return bytes;
}

/** V8 does not know how much a step of telemetry holds outside of its heap. */
async function letGo(bytes: number): Promise<void> {
  frameReplaced(bytes);
  await new Promise(setImmediate);
}

/** The rows that batch Polars makes of the same samples, for every second but the last, which is still open. */
async function check(written: pl.DataFrame, car: Car): Promise<void> {
  const parts: pl.DataFrame[] = [];
  for (const { values } of simulatePackedCar({
    ...car,
    format: "arrow",
    perUnit: car.format === "json" ? 1 : PER_UNIT,
    hertz: HERTZ,
    span: SPAN,
  })) {
    const messages = Array.from({ length: values.starts.length }, (_, i) =>
      pl.readIPCStream(Buffer.from(values.bytes.subarray(values.starts[i], values.ends[i]))),
    );
    const value = pl.col("value").cast(pl.Float64);
    const ms = pl.col("timestamp").cast(pl.Int64);
    parts.push(
      (pl.concat(messages) as pl.DataFrame)
        .withColumns(ms.minus(ms.modulo(1000)).alias("second"))
        .groupBy("second", "channel")
        .agg(
          pl.len().cast(pl.Int64).alias("n"),
          value.sum().alias("sum"),
          value.min().alias("min"),
          value.max().alias("max"),
        ),
    );
    await letGo(values.bytes.length);
  }
  const all = pl.concat(parts);
  const last = all.getColumn("second").max() as number;
  const expected = all
    .filter(pl.col("second").lt(last))
    .groupBy("second", "channel")
    .agg(pl.col("n").sum(), pl.col("sum").sum(), pl.col("min").min(), pl.col("max").max())
    .sort(["second", "channel"]);
  const made = written
    .withColumns(
      pl
        .col("window_start")
        .str.strptime(pl.Datetime("ms"), "%Y-%m-%dT%H:%M:%S%.fZ")
        .cast(pl.Datetime("ms"))
        .cast(pl.Int64)
        .alias("second"),
    )
    .sort(["second", "channel"]);
  if (made.height !== expected.height)
    throw new Error(`${made.height} rows were written, batch Polars makes ${expected.height}`);
  const [ours, theirs] = [made.toRecords(), expected.toRecords()] as Record<string, number>[][];
  for (const [i, row] of ours!.entries()) {
    const other = theirs![i]!;
    const mean = other.sum! / other.n!;
    const same = ["channel", "n", "min", "max"].every((name) => Number(row[name]) === Number(other[name]));
    if (!same || Math.abs(row.mean! - mean) > FLOAT_32 * Math.max(1, Math.abs(mean)))
      throw new Error(`row ${i} differs from batch Polars: ${JSON.stringify(row)} and ${JSON.stringify(other)}`);
  }
}
