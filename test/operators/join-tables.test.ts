import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import polars from "nodejs-polars";
import { concat, table, topic } from "../../lib/frame/index.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, values } from "./run-program.ts";
import { runTogether } from "./run-together.ts";

const phones = topic("phones", { key: "device", time: "t" });
const EMPTY: Row = { device: null, t: 0, x: null, y: null, i: null, j: null, s: null, b: null, d: null };

/** Rows as a table's changes: those whose `b` is true are tombstones. */
function changes(list: readonly Row[]): polars.DataFrame {
  const gone = pl.col("b").fillNull(pl.lit(false));
  const orNull = (name: string) => pl.when(gone).then(pl.lit(null)).otherwise(pl.col(name)).alias(name);
  return frameOf(list).select("device", "t", orNull("x"), orNull("s"), gone.alias("_delete"));
}

function clocks(list: readonly Row[]): number[] {
  let clock = Number.NEGATIVE_INFINITY;
  return list.map(({ t }) => {
    clock = Math.max(clock, t);
    return clock;
  });
}

for (const latest of [false, true])
  test(`a table is seen ${latest ? "as it was read last" : "as it was at the row's event time"} (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        rows(50),
        rows(50),
        splits,
        fc.constantFrom(0, 1500, 100_000),
        fc.constantFrom("left", "inner"),
        fc.boolean(),
        async (left, right, sizes, history, how, reopen) => {
          const program = phones.join(table("devices", { key: "device", time: "t" }), {
            on: "device",
            how: how as "left",
            ...(latest ? { latest } : { history: `${history}ms` }),
          });
          const topics = { phones: { rows: frameOf(left) }, devices: { rows: changes(right) } };
          const actual = await runTogether(program, topics, { splits: sizes, reopen });
          const leftClocks = clocks(left);
          const found = left.map((row, i) => {
            let version: Row | undefined;
            right.forEach((other, j) => {
              if (row.device === null || other.device !== row.device) return;
              if (actual.order.devices![j]! > actual.order.phones![i]!) return;
              if (!latest && other.t > row.t) return;
              if (latest || version === undefined || other.t >= version.t) version = other;
            });
            if (version?.b === true || (!latest && leftClocks[i]! - row.t > history)) version = undefined;
            return { row, version };
          });
          const given = how === "inner" ? found.filter(({ version }) => version !== undefined) : found;
          const matches = frameOf(given.map(({ version }) => version ?? EMPTY));
          const time = polars.Series(
            "none",
            given.map(({ version }) => version === undefined),
            polars.Bool,
          );
          const versions = (matches.hstack([time] as never) as unknown as polars.DataFrame).select(
            pl.when(pl.col("none")).then(pl.lit(null)).otherwise(pl.col("t")).alias("t_right"),
            pl.col("x").alias("x_right"),
            pl.col("s").alias("s_right"),
          );
          const expected = frameOf(given.map(({ row }) => row)).hstack(
            versions as never,
          ) as unknown as polars.DataFrame;
          assertFramesEqual(values(actual.rows), expected, `${how} ${history}`);
        },
      ),
      { seed, numRuns: runs(12) },
    );
  });

test("a deleted key stays deleted when an older version of it comes late", async () => {
  const program = phones.join(table("devices", { key: "device", time: "t" }), {
    on: "device",
    how: "left",
    history: "0ms",
  });
  const right = [
    { ...EMPTY, device: "a", t: 1000, b: true },
    { ...EMPTY, device: "a", t: 500, x: 7 },
  ];
  const left = [900, 1000, 2000].map((t) => ({ ...EMPTY, device: "a", t }));
  for (const reopen of [false, true]) {
    const topics = { phones: { rows: frameOf(left) }, devices: { rows: changes(right) } };
    const { rows: given } = await runTogether(program, topics, { splits: Array(5).fill(1), reopen });
    assert.deepEqual(given.getColumn("x_right").toArray(), [null, null, null]);
  }
});

test(`two tables: the last row per key is that of Polars' join of both (seed ${seed})`, async () => {
  const newest = (list: readonly Row[]) =>
    changes(list)
      .filter(pl.col("device").isNotNull())
      .unique({ subset: ["device"], keep: "last", maintainOrder: true })
      .filter(pl.col("_delete").not())
      .drop("_delete");
  for (const how of ["inner", "left", "full"] as const) {
    const people = table("people", { key: "device", time: "t" });
    const program = people.join(table("devices", { key: "device", time: "t" }), { on: "device", how });
    await fc.assert(
      fc.asyncProperty(rows(40), rows(40), splits, fc.boolean(), async (left, right, sizes, reopen) => {
        const topics = { people: { rows: changes(left) }, devices: { rows: changes(right) } };
        const actual = await runTogether(program, topics, { splits: sizes, reopen });
        const last = actual.rows.unique({ subset: ["device"], keep: "last", maintainOrder: true });
        const joined = newest(left).join(newest(right), { on: "device", how, coalesce: true }) as polars.DataFrame;
        const names = ["device", "t", "x", "s", "t_right", "x_right", "s_right"];
        const kept = last.filter(pl.col("_delete").not());
        assertFramesEqual(kept.select(...names).sort("device"), joined.select(...names).sort("device"), how);
      }),
      { seed, numRuns: runs(6) },
    );
  }
});

test(`fixed rows: any batches give Polars' join (seed ${seed})`, async () => {
  const fixed = polars.DataFrame({
    name: ["a", "ключ", "a", null, "zz"],
    x: [1, 2, 3, 4, 5],
    label: ["one", "two", "three", "four", "five"],
  });
  for (const how of ["inner", "left", "semi", "anti"] as const) {
    const program = phones.join(table(fixed), { leftOn: "device", rightOn: "name", how });
    await fc.assert(
      fc.asyncProperty(rows(40), splits, async (list, sizes) => {
        const actual = await runTogether(program, { phones: { rows: frameOf(list) } }, { splits: sizes });
        const expected = frameOf(list).join(fixed, {
          leftOn: "device",
          rightOn: "name",
          how,
          maintainOrder: "left",
        } as never) as polars.DataFrame;
        assertFramesEqual(values(actual.rows), expected, how);
      }),
      { seed, numRuns: runs(4) },
    );
  }
});

test("fixed rows of files: Parquet, CSV and a table of DuckDB; what is wrong with them is refused", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "millrace-tables-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string) => path.join(folder, name) as `${string}.csv`;
  const limits = polars.DataFrame({ model: ["m1", "m2"], limit: [1.5, 2.5] });
  limits.writeParquet(file("limits.parquet"));
  limits.writeCSV(file("limits.csv"));
  const instance = await DuckDBInstance.create(file("limits.duckdb"));
  const connection = await instance.connect();
  await connection.run(`create table "the limits" as select * from '${file("limits.parquet")}'`);
  connection.closeSync();
  instance.closeSync();
  for (const [name, options] of [
    ["limits.parquet", { key: "model" }],
    ["limits.csv", { key: "model" }],
    ["limits.duckdb", { key: "model", table: "the limits" }],
  ] as const) {
    const loaded = table(file(name), options);
    assert.deepEqual(loaded.df.toRecords(), limits.toRecords(), name);
    assert.equal(loaded.origin, name);
  }
  const [parquet, csv] = [table(file("limits.parquet")), table(file("limits.csv"))];
  assert.equal(parquet.digest, csv.digest, "a digest is of the rows");
  assert.notEqual(parquet.digest, table(limits.head(1)).digest);
  const refused: [() => unknown, string][] = [
    [() => table(file("none.csv")), "NO_FILE"],
    [() => table(file("limits.duckdb")), "NO_TABLE"],
    [() => table(file("limits.duckdb"), { table: "nothing" }), "NO_TABLE"],
    [() => table(limits, { key: "modell" }), "UNKNOWN_COLUMN"],
    [() => table(polars.concat([limits, limits]), { key: "model" }), "NOT_UNIQUE"],
    [() => table("devices", {} as never), "NO_KEY"],
    [() => table("devices", { key: "device", format: "xml" } as never), "UNKNOWN_FORMAT"],
    [() => table("devices", { key: "device", format: "arrow" } as never), "MANY_ROWS_PER_KEY"],
    [() => table(7 as never), "NO_TOPIC"],
  ];
  for (const [make, code] of refused) assert.throws(make, { code });
});

test(`concat gives the rows of all in the order of reading (seed ${seed})`, async () => {
  const program = concat(phones, topic("tablets", { key: "device", time: "t" })).withColumns(
    pl.col("i").cumSum().over("device").alias("sum"),
  );
  await fc.assert(
    fc.asyncProperty(rows(40), rows(40), splits, fc.boolean(), async (a, b, sizes, reopen) => {
      const topics = { phones: { rows: frameOf(a) }, tablets: { rows: frameOf(b) } };
      const actual = await runTogether(program, topics, { splits: sizes, reopen });
      const merged: Row[] = [];
      a.forEach((row, i) => {
        merged[actual.order.phones![i]!] = row;
      });
      b.forEach((row, i) => {
        merged[actual.order.tablets![i]!] = row;
      });
      const expected = frameOf(merged).withColumns(pl.col("i").cumSum().over("device").alias("sum"));
      assertFramesEqual(values(actual.rows), expected, "concat");
    }),
    { seed, numRuns: runs(10) },
  );
});
