import assert from "node:assert/strict";
import test from "node:test";
import pl from "nodejs-polars";
import { countBuffersWithHeap } from "../../lib/run/count-buffers.ts";
import { MemoryStore } from "../../lib/state/memory-store.ts";
import type { StoreSpec } from "../../lib/state/store.ts";

const spec = {
  name: "last_row",
  key: ["device", "axis"],
  schema: { device: "Utf8", axis: "Float64", at: "Datetime(ms)", value: "Float64" },
} as const;

const frame = (rows: [string | null, number | null, number, number | null][]) =>
  pl
    .DataFrame({
      device: rows.map((r) => r[0]),
      axis: rows.map((r) => r[1]),
      at: rows.map((r) => r[2]),
      value: rows.map((r) => r[3]),
    })
    .select(
      pl.col("device").cast(pl.Utf8),
      pl.col("axis").cast(pl.Float64),
      pl.col("at").cast(pl.Int64).cast(pl.Datetime("ms")),
      pl.col("value").cast(pl.Float64),
    );

const rows = (held: pl.DataFrame) =>
  held
    .withColumns(pl.col("at").cast(pl.Int64))
    .rows()
    .map((row) => row.map((cell) => (typeof cell === "bigint" ? Number(cell) : cell)).join(" "))
    .sort();

test("an upsert replaces the row of the same key; nulls, NaNs and zeros of both signs are keys like any other", async () => {
  const store = new MemoryStore(spec);
  await store.upsert(
    frame([
      ["a", 1, 10, 1],
      [null, Number.NaN, 20, 2],
      ["a", null, 30, 3],
      ["z", -0, 40, 4],
    ]),
  );
  await store.upsert(
    frame([
      ["a", 1, 11, 5],
      [null, Number.NaN, 21, 6],
      ["z", 0, 41, 7],
      ["b", 1, 50, null],
    ]),
  );
  assert.deepEqual(rows(await store.all()), [" NaN 21 6", "a  30 3", "a 1 11 5", "b 1 50 ", "z 0 41 7"]);
  assert.equal(store.size, 5);
  assert.deepEqual(
    rows(
      await store.lookup(
        frame([
          [null, Number.NaN, 0, 0],
          ["a", null, 0, 0],
          ["c", 1, 0, 0],
        ]),
      ),
    ),
    [" NaN 21 6", "a  30 3"],
  );
});

test("an empty store answers with its columns", async () => {
  const store = new MemoryStore(spec);
  assert.deepEqual((await store.lookup(frame([["a", 1, 1, 1]]))).columns, ["device", "axis", "at", "value"]);
  assert.equal(await store.min("at"), undefined);
  assert.equal((await store.takeUpTo("at", 1)).height, 0);
});

test("takeUpTo removes the rows up to a bound in milliseconds, min tells the smallest left", async () => {
  const store = new MemoryStore(spec);
  await store.upsert(
    frame([
      ["a", 1, 10, 1],
      ["b", 1, 20, 2],
      ["c", 1, 30, 3],
    ]),
  );
  assert.equal(await store.min("at"), 10);
  assert.deepEqual(rows(await store.takeUpTo("at", 20)), ["a 1 10 1", "b 1 20 2"]);
  assert.equal(await store.min("at"), 30);
  assert.deepEqual(rows(await store.all()), ["c 1 30 3"]);
});

test("changes since the last asking: rows now held, keys no longer held, each once", async () => {
  const store = new MemoryStore(spec, {
    track: true,
    rows: frame([
      ["old", 1, 1, 1],
      ["gone", 1, 2, 2],
    ]),
  });
  await store.upsert(
    frame([
      ["a", 1, 10, 1],
      ["b", 1, 20, 2],
    ]),
  );
  await store.upsert(frame([["a", 1, 11, 3]]));
  await store.remove(
    frame([
      ["b", 1, 0, 0],
      ["gone", 1, 0, 0],
    ]),
  );
  const first = store.takeChanges();
  assert.deepEqual(rows(first.upserted), ["a 1 11 3"]);
  assert.deepEqual(first.removed.getColumn("device").toArray().sort(), ["b", "gone"]);
  const second = store.takeChanges();
  assert.deepEqual([second.upserted.height, second.removed.height], [0, 0]);
});

test("a scan gives the rows of leading keys, and above a bound those that are beyond it or have no value there", async () => {
  const store = new MemoryStore(spec);
  await store.upsert(
    frame([
      ["a", 1, 10, 1],
      ["a", 2, 20, 2],
      ["a", null, 30, null],
      [null, 1, 40, 4],
      ["b", 1, 50, 5],
    ]),
  );
  const devices = pl.DataFrame({ device: ["a", null, "z"] }).select(pl.col("device").cast(pl.Utf8));
  assert.deepEqual(rows(await store.scan(devices)), [" 1 40 4", "a  30 ", "a 1 10 1", "a 2 20 2"]);
  assert.deepEqual(rows(await store.scan(devices, { column: "at", bound: 10 })), [" 1 40 4", "a  30 ", "a 2 20 2"]);
  assert.deepEqual(rows(await store.scan(devices, { column: "value", bound: 1.5 })), [" 1 40 4", "a  30 ", "a 2 20 2"]);
  assert.deepEqual(rows(await store.scan(devices.head(0))), []);
});

test("a table of one row keeps one row of a text, and takes another key beside it", async () => {
  const one = { name: "mark", key: ["source"], schema: { source: "Utf8", at: "Int64" } } as const;
  const mark = (source: string | null, at: number) =>
    pl.DataFrame({ source: [source], at: [at] }).select(pl.col("source").cast(pl.Utf8), pl.col("at").cast(pl.Int64));
  const store = new MemoryStore(one, { track: true });
  const held = async () => (await store.all()).rows().map(([source, at]) => `${source} ${at}`);
  await store.upsert(mark("a", 1));
  await store.upsert(mark("a", 2));
  assert.deepEqual(await held(), ["a 2"]);
  await store.upsert(mark(null, 3));
  await store.upsert(mark(null, 4));
  assert.deepEqual(await held(), ["a 2", "null 4"]);
  assert.equal(store.takeChanges().upserted.height, 2);
});

test("a table of one row whose key is no text: the key is compared by its own rules", async () => {
  const values = [
    ["Datetime(ms)", pl.Datetime("ms"), 1000, 2000],
    ["Int64", pl.Int64, 1, 2],
    ["Boolean", pl.Bool, 0, 1],
    ["Float64", pl.Float64, -0, 0.5],
  ] as const;
  for (const [dtype, made, one, other] of values) {
    const store = new MemoryStore({ name: "one", key: ["k"], schema: { k: dtype, n: "Int64" } });
    const row = (key: number, n: number) =>
      pl.DataFrame({ k: [key], n: [n] }).select(pl.col("k").cast(made), pl.col("n").cast(pl.Int64));
    await store.upsert(row(one, 1));
    await store.upsert(row(one === 0 ? 0 : one, 2));
    assert.equal(store.size, 1, dtype);
    await store.upsert(row(other, 3));
    assert.equal(store.size, 2, dtype);
  }
});

test("large stores that change again and again take their own size and some more, not that of all they have been", async () => {
  countBuffersWithHeap(); // as a job and the kernel do
  const large: StoreSpec = { name: "large", key: ["device"], schema: { device: "Utf8", sum: "Float64" } };
  const rows = (from: number, count: number) => {
    const numbers = Array.from({ length: count }, (_, i) => from + i);
    return pl.DataFrame({ device: numbers.map((n) => `phone-${n}-${"x".repeat(80)}`), sum: numbers.map((n) => n / 2) });
  };
  const first = rows(0, 150_000);
  const stores = Array.from({ length: 8 }, () => new MemoryStore(large, { rows: first }));
  assert.ok((stores[0] as MemoryStore).bytes > 12 * 2 ** 20);
  const change = rows(0, 1000);
  const before = process.memoryUsage().rss;
  let most = 0;
  for (let n = 0; n < 40; n++) {
    for (const store of stores) await store.upsert(change);
    await new Promise(setImmediate);
    most = Math.max(most, process.memoryUsage().rss - before);
  }
  assert.ok(most < 300 * 2 ** 20, `${Math.round(most / 2 ** 20)} MiB more than before`);
  for (const store of stores) assert.equal(store.size, 150_000);
});
