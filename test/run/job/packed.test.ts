import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import pl from "nodejs-polars";
import { simulatePackedCar } from "../../../kernel/simulate/index.ts";
import { type Cluster, Producer, partitionByKey, type RecordColumns } from "../../../lib/log/index.ts";
import { until } from "../../support/until.ts";
import { connect, jobUnderTest, readAll } from "./support.ts";

const PARTITIONS = 3;
const CHANNELS = 40;
const PER_UNIT = 8;
const STEPS_A_SECOND = 10;

/** `seconds` of a car, a record batch for all units every 100 ms. */
function telemetry(seconds: number): RecordColumns[] {
  const units = CHANNELS / PER_UNIT;
  const count = units * STEPS_A_SECOND * seconds;
  return [...simulatePackedCar({ format: "arrow", channels: CHANNELS, perUnit: PER_UNIT, hertz: 200, count })];
}

async function produce(cluster: Cluster, topic: string, parts: readonly RecordColumns[]): Promise<void> {
  const producer = await Producer.create(cluster);
  for (const columns of parts)
    for (const [partition, part] of partitionByKey(columns, PARTITIONS).entries())
      await producer.send(topic, partition, part);
  await producer.flush();
  await producer.close();
}

/** All samples as one frame, by batch Polars. */
function samples(parts: readonly RecordColumns[]): pl.DataFrame {
  const frames = parts.flatMap(({ values, keys }) =>
    Array.from({ length: values.starts.length }, (_, i) =>
      pl
        .readIPCStream(Buffer.from(values.bytes.subarray(values.starts[i], values.ends[i])))
        .withColumns(
          pl.lit(Buffer.from(keys.bytes.subarray(keys.starts[i], keys.ends[i])).toString()).alias("unit"),
          pl.col("timestamp").cast(pl.Int64).alias("ms"),
        ),
    ),
  );
  return pl.concat(frames);
}

test("a job over packed telemetry: windows and rows are those of batch Polars, killed in between and its state lost", {
  timeout: 180_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, {
    script: "packed-job.ts",
    partitions: PARTITIONS,
    guarantee: "exactly-once",
  });
  const parts = telemetry(9);
  // messages of one step come late, but within the grace; and a second is seen by every partition at the end
  const order = parts.toSpliced(33, 1).toSpliced(45, 0, parts[33]!);
  await produce(cluster, job.input, order.slice(0, 27));
  await job.toEnd();
  await produce(cluster, job.input, order.slice(27, 52));
  const killed = await job.start();
  const somethingWritten = async () =>
    (await readAll(cluster, `${job.output}-seconds`)).length > (CHANNELS * 3) / 2 || undefined;
  await until("it has gone on", somethingWritten, 60_000);
  killed.child.kill("SIGKILL");
  await killed.ended;
  await produce(cluster, job.input, order.slice(52, 70));
  await job.toEnd();
  await rm(job.stateDir, { recursive: true });
  await produce(cluster, job.input, order.slice(70));
  const { rowsIn } = await job.toEnd();
  assert.ok(rowsIn > 0);

  const all = samples(parts);
  const value = pl.col("value").cast(pl.Float64);
  const last = all.getColumn("ms").max() as number;
  const expected = all
    .withColumns(pl.col("ms").minus(pl.col("ms").modulo(1000)).alias("second"))
    .groupBy("second", "unit", "channel")
    .agg(
      pl.len().cast(pl.Int64).alias("n"),
      value.mean().alias("mean"),
      value.min().alias("min"),
      value.max().alias("max"),
    )
    // two seconds of grace
    .filter(pl.col("second").plus(3000).ltEq(pl.lit(last)))
    .toRecords() as Record<string, any>[];
  const written = await readAll(cluster, `${job.output}-seconds`);
  const byWindow = new Map(
    written.map(({ value }) => [`${value.unit} ${value.channel} ${Date.parse(value.window_start)}`, value]),
  );
  assert.equal(byWindow.size, written.length, "no window twice");
  assert.equal(written.length, expected.length);
  for (const row of expected) {
    const got = byWindow.get(`${row.unit} ${row.channel} ${Number(row.second)}`);
    assert.ok(got !== undefined, JSON.stringify(row));
    assert.deepEqual([got.n, got.min, got.max], [Number(row.n), row.min, row.max]);
    // a mean of Float32 is one
    assert.ok(Math.abs(got.mean - row.mean) <= 1e-6 * Math.max(1, Math.abs(row.mean)), `${got.mean} ${row.mean}`);
  }

  const line = (row: Record<string, any>, ms: number) => `${row.unit} ${row.channel} ${ms} ${row.value}`;
  const high = (await readAll(cluster, `${job.output}-high`)).map(({ value }) =>
    line(value, Date.parse(value.timestamp)),
  );
  const wanted = (all.filter(pl.col("value").gt(65)).toRecords() as Record<string, any>[]).map((row) =>
    line(row, Number(row.ms)),
  );
  assert.ok(wanted.length > 10, `${wanted.length} samples are high`);
  assert.deepEqual(high.sort(), wanted.sort());
});
