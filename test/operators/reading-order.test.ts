import assert from "node:assert/strict";
import { test } from "node:test";
import { pl, topic } from "millrace";
import { driver, type Tested } from "millrace/test";

const schema = { device: "Utf8", at: "Int64", x: "Float64" } as const;
const [a, b] = ["a", "b"].map((name) => topic(name, { key: "device", time: "at", schema })) as [any, any];
const beside = (left: any, right: any) =>
  left.joinAsof(right.select("device", "at", pl.col("x").alias("other")), { by: "device", on: "at" });
const windows = (frame: any) =>
  frame.groupByDynamic({ indexColumn: "at", every: "1s", by: "device" }).agg(pl.col("x").sum().alias("sum"));

// times that are equal on both topics, and one topic that goes on for longer
const record = (at: number, x: number) => ({ device: "k", at, x });
const RECORDS: Readonly<Record<string, ReturnType<typeof record>[]>> = {
  a: [record(0, 1), record(1000, 2), record(1000, 3), record(2000, 4)],
  b: [record(0, 10), record(1000, 20), record(2000, 30), record(9000, 40)],
};

const PROGRAMS: Readonly<Record<string, Tested>> = {
  "a as of b": beside(a, b),
  "b as of a": beside(b, a),
  "a, then b": a.concat(b).withColumns(pl.col("x").cumSum().over("device").alias("run")),
  "b, then a": b.concat(a).withColumns(pl.col("x").cumSum().over("device").alias("run")),
  "windows of a": windows(a),
  "windows of b, by another key": windows(b.withColumns(pl.lit("m").alias("device")).keyBy("device")),
  "a with b by another key": beside(a.keyBy("x"), b.keyBy("x")),
};

async function rowsOf(programs: readonly Tested[]): Promise<string[]> {
  const run = driver(programs);
  for (const name of ["a", "b"])
    await run.feed(name, RECORDS[name]!).catch((error) => assert.equal(error.code, "UNKNOWN_TOPIC"));
  await run.end();
  return programs.map((program) => run.table(program));
}

// law 2: a job runs all sinks of a notebook together, and gives what each gave alone
test("programs that run together give what each gives alone, however they order what they share", async () => {
  const names = Object.keys(PROGRAMS);
  const alone = new Map<string, string>();
  for (const name of names) alone.set(name, (await rowsOf([PROGRAMS[name]!]))[0]!);
  for (const [at, first] of names.entries())
    for (const second of names.slice(at + 1)) {
      const together = await rowsOf([PROGRAMS[first]!, PROGRAMS[second]!]);
      assert.deepEqual(together, [alone.get(first), alone.get(second)], `${first} / ${second}`);
    }
  for (const order of [names, names.toReversed()]) {
    const all = await rowsOf(order.map((name) => PROGRAMS[name]!));
    for (const [at, name] of order.entries()) assert.equal(all[at], alone.get(name), name);
  }
});
