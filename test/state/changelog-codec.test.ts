import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import type { RecordColumns } from "../../lib/log/columns.ts";
import { decodeRecordBatches, encodeRecordBatch } from "../../lib/log/index.ts";
import { ChangelogCodec } from "../../lib/state/changelog/codec.ts";
import { MemoryStore } from "../../lib/state/memory-store.ts";
import type { StoreSpec } from "../../lib/state/store.ts";
import { anyFrame, cells } from "./any-frame.ts";

/** Through the record-batch codec, as a broker would keep it. */
function logged(columns: RecordColumns): RecordColumns {
  const { bytes } = encodeRecordBatch(columns, { maxBytes: 10_000_000 });
  return decodeRecordBatches(bytes, { topic: "t", partition: 0, fromOffset: 0, newlines: "keep" });
}

test("rows of any dtype come back exactly", async () => {
  await fc.assert(
    fc.asyncProperty(anyFrame(4), async ({ schema, frame }) => {
      // rows are told apart by a key of their own; the other columns are what is at stake
      const whole = frame.withColumns(
        pl.Series("id", BigInt64Array.of(1n, 2n ** 53n + 1n, -(2n ** 63n), 0n), pl.Int64),
      );
      const spec: StoreSpec = { name: "any", key: ["id"], schema: { ...schema, id: "Int64" } };
      const codec = new ChangelogCodec(spec);
      const back = codec.decode(logged(codec.encode({ upserted: whole, removed: whole.select("id").head(0) }, 5)));
      assert.deepEqual(cells(back.upserted, spec.schema), cells(whole, spec.schema));
      const gone = codec.decode(logged(codec.encode({ upserted: whole.head(0), removed: whole.select("id") }, 5)));
      assert.deepEqual(cells(gone.removed, { id: "Int64" }), cells(whole.select("id"), { id: "Int64" }));
    }),
    { numRuns: 40 },
  );
});

const spec: StoreSpec = {
  name: "last_row",
  key: ["device", "axis"],
  schema: { device: "Utf8", axis: "Float64", value: "Float64" },
};
const rows = (values: [string | null, number | null, number | null][]) =>
  pl.DataFrame([
    pl.Series(
      "device",
      values.map((v) => v[0]),
      pl.Utf8,
    ),
    pl.Series(
      "axis",
      values.map((v) => v[1]),
      pl.Float64,
    ),
    pl.Series(
      "value",
      values.map((v) => v[2]),
      pl.Float64,
    ),
  ]);
const text = (column: { bytes: Uint8Array; starts: Uint32Array; ends: Uint32Array }, i: number) =>
  Buffer.from(column.bytes.subarray(column.starts[i], column.ends[i])).toString();

test("keys and values are JSON that a person can read; -0 and 0 are one key", () => {
  const codec = new ChangelogCodec(spec);
  const columns = codec.encode(
    {
      upserted: rows([
        ["a", -0, Number.NaN],
        [null, Number.NaN, -0],
      ]),
      removed: rows([["b", 1, null]]).select("device", "axis"),
    },
    7,
  );
  assert.deepEqual(
    [0, 1, 2].map((i) => text(columns.keys, i)),
    ['{"device":"a","axis":"0.0"}', '{"device":null,"axis":"NaN"}', '{"device":"b","axis":"1.0"}'],
  );
  assert.deepEqual(
    [0, 1].map((i) => text(columns.values, i)),
    ['{"device":"a","axis":"-0.0","value":"NaN"}', '{"device":null,"axis":"NaN","value":"-0.0"}'],
  );
  assert.deepEqual([...(columns.values.nulls ?? [])], [0, 0, 1]);
});

test("changes of several partitions are the same records together as each by itself", async () => {
  const value = fc.tuple(fc.constantFrom("a", "b", null), fc.constantFrom(0, -0, 1, Number.NaN), fc.double());
  const several = fc.array(fc.tuple(fc.array(value, { maxLength: 4 }), fc.array(value, { maxLength: 3 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(several, (partitions) => {
      const codec = new ChangelogCodec(spec);
      const changes = partitions.map(([upserted, removed]) => ({
        upserted: rows(upserted),
        removed: rows(removed).select("device", "axis"),
      }));
      const said = (columns: RecordColumns) =>
        Array.from({ length: columns.count }, (_, i) => [
          text(columns.keys, i),
          columns.values.nulls?.[i] === 1 ? null : text(columns.values, i),
          columns.timestamps[i],
        ]);
      const each = changes.map((change) => said(codec.encode(change, 7)));
      assert.deepEqual(codec.encodeEach(changes, 7).map(said), each);
      for (const [i, columns] of codec.encodeEach(changes, 7).entries())
        if (columns.count > 0) assert.deepEqual(said(logged(columns)), each[i]);
    }),
  );
});

test("replayed from anywhere before its end, a log of changes gives the same rows", async () => {
  const operation = fc.record({
    remove: fc.boolean(),
    key: fc.constantFrom("a", "b", null),
    axis: fc.constantFrom(0, -0, Number.NaN),
    value: fc.double(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(operation, { maxLength: 5 }), { maxLength: 6 }),
      fc.nat(6),
      async (checkpoints, from) => {
        const codec = new ChangelogCodec(spec);
        const store = new MemoryStore(spec, { track: true });
        const log: RecordColumns[] = [];
        const snapshots: pl.DataFrame[] = [await store.all()];
        for (const operations of checkpoints) {
          for (const { remove, key, axis, value } of operations) {
            const row = rows([[key, axis, value]]);
            await (remove ? store.remove(row) : store.upsert(row));
          }
          log.push(logged(codec.encode(store.takeChanges(), 0)));
          snapshots.push(await store.all());
        }
        const start = Math.min(from, checkpoints.length);
        const restored = new MemoryStore(spec, { rows: snapshots[start] as pl.DataFrame });
        // one checkpoint is applied twice: a position may lag behind the rows
        for (const columns of log.slice(Math.max(0, start - 1))) {
          const { upserted, removed } = codec.decode(columns);
          await restored.upsert(upserted);
          await restored.remove(removed);
        }
        assert.deepEqual(cells(await restored.all(), spec.schema), cells(await store.all(), spec.schema));
      },
    ),
    { numRuns: 60 },
  );
});
