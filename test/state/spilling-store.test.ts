import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { dtypeOf } from "../../lib/schema.ts";
import { joinedChanges } from "../../lib/state/changelog/joined-changes.ts";
import { StateFile } from "../../lib/state/duckdb/state-file.ts";
import { type Changes, MemoryStore } from "../../lib/state/memory-store.ts";
import { SpillingStore } from "../../lib/state/spilling-store.ts";
import { StateMemory } from "../../lib/state/state-memory.ts";
import type { KeyedStore, StoreSpec } from "../../lib/state/store.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-spill-"));
after(() => rm(folder, { recursive: true, force: true }));

const spec: StoreSpec = {
  name: "sums",
  key: ["device", "start"],
  schema: { device: "Utf8", start: "Datetime(ms)", sum: "Float64", seen: "Int64" },
};
type Row = [device: string | null, start: number, sum: number, seen: number | null];

function frame(rows: readonly Row[]): pl.DataFrame {
  const columns = Object.entries(spec.schema).map(([name, dtype], i) => {
    const values = rows.map((row) => row[i]);
    return dtype === "Datetime(ms)"
      ? pl.Series(name, values as number[], pl.Int64).cast(dtypeOf(dtype))
      : pl.Series(name, values as number[], dtypeOf(dtype));
  });
  return pl.DataFrame(columns).select(...Object.keys(spec.schema));
}

const text = (rows: pl.DataFrame) =>
  rows
    .withColumns(pl.col("start").cast(pl.Int64))
    .rows()
    .map((row) => JSON.stringify(row))
    .sort();

let files = 0;
const open = () =>
  StateFile.open({
    folder: path.join(folder, String(++files)),
    owner: { job: "test", fingerprint: "f" },
    stores: [spec],
  });
const position = { offsets: { t: 1 }, changelog: {}, watermark: Number.NaN, at: 0 };

type Command =
  | { kind: "upsert" | "remove" | "lookup" | "scan"; rows: Row[]; bound: number }
  | { kind: "takeUpTo" | "checkpoint"; rows: Row[]; bound: number };

const row = fc.tuple(
  fc.constantFrom("a", "b", "c", null),
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 0, max: 9 }),
  fc.option(fc.integer({ min: 0, max: 20 })),
) as fc.Arbitrary<Row>;
const command = fc.record({
  kind: fc.constantFrom("upsert", "upsert", "remove", "lookup", "scan", "takeUpTo", "checkpoint", "checkpoint"),
  rows: fc.uniqueArray(row, { maxLength: 6, selector: ([device, start]) => `${device} ${start}` }),
  bound: fc.integer({ min: 0, max: 20 }),
}) as fc.Arbitrary<Command>;

/** What a command answers, so that two stores can be compared. */
async function answer(store: KeyedStore, { kind, rows, bound }: Command): Promise<unknown> {
  const keys = frame(rows).select("device", "start");
  if (kind === "upsert") return await store.upsert(frame(rows));
  if (kind === "remove") return await store.remove(keys);
  if (kind === "lookup") return text(await store.lookup(keys));
  if (kind === "scan") return text(await store.scan(keys.select("device").unique(), { column: "seen", bound }));
  if (kind === "takeUpTo") return text(await store.takeUpTo("seen", bound));
  return undefined;
}

test("a store that keeps next to nothing in memory, or all, answers as one without a file, and its file is always a checkpoint's", async () => {
  const anyKey = fc.array(command, { minLength: 5, maxLength: 25 });
  const oneRow = command.map((one) => ({
    ...one,
    rows: one.rows.slice(0, 1).map(([, , ...rest]) => ["a", 0, ...rest]),
  }));
  const oneKey = fc.array(oneRow as fc.Arbitrary<Command>, { minLength: 5, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyKey, oneKey), fc.constantFrom(1, 2 ** 30), async (commands, bytes) => {
      const file = await open();
      try {
        const reference = new MemoryStore(spec);
        const store = new SpillingStore(spec, file.cold(spec.name, 0), new StateMemory(bytes));
        let saved = frame([]);
        let unsaved: Changes[] = [];
        for (const command of commands) {
          assert.deepEqual(await answer(store, command), await answer(reference, command));
          assert.equal(store.size, reference.size, command.kind);
          if (command.kind === "checkpoint") {
            unsaved.push(await store.takeChanges(unsaved.length === 0));
            // some are saved together with the next one
            if (command.bound % 3 > 0) {
              saved = await reference.all();
              const changes = new Map([[spec.name, joinedChanges(spec, unsaved)]]);
              await file.commit([{ partition: 0, position, changes }]);
              unsaved = [];
            }
          }
          assert.deepEqual(text(await file.load(spec.name, 0)), text(saved), "nothing uncommitted is in the file");
        }
        assert.deepEqual(text(await store.all()), text(await reference.all()));
      } finally {
        await file.close();
      }
    }),
    { numRuns: 40 },
  );
});

test("rows leave memory once they are saved, and a store goes on from its file without reading all of it", async () => {
  const file = await open();
  const memory = new StateMemory(64 * 1024);
  const store = new SpillingStore(spec, file.cold(spec.name, 0), memory);
  let most = 0;
  for (let batch = 0; batch < 40; batch++) {
    const rows = frame(Array.from({ length: 200 }, (_, i): Row => [`device-${batch * 200 + i}`, 0, 1, batch]));
    assert.equal((await store.lookup(rows)).height, 0);
    await store.upsert(rows);
    await file.commit([{ partition: 0, position, changes: new Map([[spec.name, await store.takeChanges()]]) }]);
    most = Math.max(most, memory.bytes);
  }
  assert.equal(store.size, 8000);
  assert.ok(store.spilled);
  assert.ok(most < 64 * 1024, `${most} bytes at most`);

  store.close();
  assert.equal(memory.bytes, 0);
  const again = new SpillingStore(spec, file.cold(spec.name, 0), memory, { size: await file.count(spec.name, 0) });
  assert.equal(again.size, 8000);
  const keys = frame([
    ["device-7", 0, 0, 0],
    ["device-7999", 0, 0, 0],
    ["other", 0, 0, 0],
  ]);
  assert.deepEqual(text(await again.lookup(keys)), ['["device-7",0,1,0]', '["device-7999",0,1,39]']);
  assert.equal(await again.min("seen"), 0);
  assert.equal((await again.takeUpTo("seen", 1)).height, 400);
  assert.equal(await again.min("seen"), 2);
  assert.equal(again.size, 7600);
  await file.close();
});
