import assert from "node:assert/strict";
import pl from "nodejs-polars";
import type { Written } from "./support.ts";

/** A row of an output topic: its key, its timestamp, its value. */
export type Row = readonly [key: string | null, timestamp: number, value: Record<string, unknown>];
export type Rows = Record<"stateless" | "delta" | "windows", Row[]>;

/** What static Polars makes of the same records: `input` in any order, each with its partition and offset. */
export function expectedRows(input: readonly Written[]): Rows {
  const good = input.filter(({ value }) => typeof value === "object" && value !== null);
  const column = (name: string, dtype: pl.DataType) =>
    pl.Series(
      name,
      good.map(({ value }) => value[name]),
      dtype,
    );
  const records = pl
    .DataFrame([
      pl.Series(
        "partition",
        good.map(({ partition }) => partition),
        pl.Int64,
      ),
      pl.Series(
        "offset",
        good.map(({ offset }) => offset),
        pl.Int64,
      ),
      column("device", pl.Utf8),
      column("timestamp", pl.Float64),
      column("x", pl.Float64),
      column("y", pl.Float64),
      column("n", pl.Float64),
    ])
    .sort(["partition", "offset"])
    .withColumns(pl.col("x").abs().plus(pl.col("y").abs()).alias("total"));
  const delta = records.withColumns(pl.col("total").diff(1, "ignore").over("device").alias("delta"));
  const windows = records
    .withColumns(
      pl.col("timestamp").max().over("partition").alias("watermark"),
      pl.col("timestamp").div(pl.lit(1000)).floor().mul(pl.lit(1000)).alias("start"),
    )
    .filter(pl.col("start").plus(pl.lit(1000)).ltEq(pl.col("watermark")))
    .groupBy("device", "start")
    .agg(
      pl.col("total").mean().alias("mean"),
      pl.col("total").max().alias("max"),
      pl.col("total").count().alias("count"),
    );
  const iso = (ms: number) => new Date(ms).toISOString();
  const phone = (row: any) => ({
    device: row.device,
    timestamp: iso(row.timestamp),
    x: row.x,
    y: row.y,
    n: row.n,
    total: row.total,
  });
  return {
    stateless: records
      .filter(pl.col("total").gt(1))
      .toRecords()
      .map((row: any) => [row.device, row.timestamp, phone(row)]),
    delta: delta.toRecords().map((row: any) => [row.device, row.timestamp, { ...phone(row), delta: row.delta }]),
    windows: windows
      .sort("start")
      .toRecords()
      .map((row: any) => [
        row.device,
        row.start + 999,
        {
          device: row.device,
          window_start: iso(row.start),
          window_end: iso(row.start + 1000),
          mean: row.mean,
          max: row.max,
          count: Number(row.count),
        },
      ]),
  };
}

export const rowsOf = (written: readonly Written[]): Row[] =>
  [...written]
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map(({ key, timestamp, value }) => [key, timestamp, value]);

/** The same rows in the same order per key; numbers to 1e-9 of their size. */
export function assertSameRows(actual: readonly Row[], expected: readonly Row[], what: string): void {
  const [found, wanted] = [byKey(actual), byKey(expected)];
  assert.deepEqual([...found.keys()].sort(), [...wanted.keys()].sort(), `${what}: keys`);
  for (const [key, rows] of wanted) {
    const held = found.get(key) ?? [];
    for (let i = 0; i < Math.max(rows.length, held.length); i++) {
      if (same(held[i], rows[i])) continue;
      assert.deepEqual(held[i], rows[i], `${what}: row ${i} of ${key} (of ${held.length}, expected ${rows.length})`);
    }
  }
}

/** Every expected row is there, in order per key, and whatever else is there repeats an earlier one. Gives the number of repeats. */
export function assertRepeatsOnly(actual: readonly Row[], expected: readonly Row[], what: string): number {
  const [found, wanted] = [byKey(actual), byKey(expected)];
  assert.deepEqual([...found.keys()].sort(), [...wanted.keys()].sort(), `${what}: keys`);
  let repeats = 0;
  for (const [key, rows] of wanted) {
    let next = 0;
    for (const row of found.get(key) ?? []) {
      if (same(row, rows[next])) next++;
      else {
        // a repeat goes back to a checkpoint: its original is close behind
        let before = next - 1;
        while (before >= 0 && !same(row, rows[before])) before--;
        if (before < 0) assert.deepEqual(row, rows[next], `${what}: neither a repeat nor row ${next} of ${key}`);
        repeats++;
      }
    }
    assert.equal(next, rows.length, `${what}: rows of ${key}, repeats left out`);
  }
  return repeats;
}

function byKey(rows: readonly Row[]): Map<string | null, Row[]> {
  const groups = new Map<string | null, Row[]>();
  for (const row of rows) {
    const group = groups.get(row[0]);
    if (group === undefined) groups.set(row[0], [row]);
    else group.push(row);
  }
  return groups;
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number")
    return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length && keys.every((key) => key in b && same((a as any)[key], (b as any)[key]))
    );
  }
  return a === b;
}
