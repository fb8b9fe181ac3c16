import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { joinedChanges } from "../../lib/state/changelog/joined-changes.ts";
import { type Changes, MemoryStore } from "../../lib/state/memory-store.ts";

const spec = { name: "counts", key: ["device"], schema: { device: "Utf8", n: "Int64" } } as const;
const keys = (devices: (string | null)[]) => pl.DataFrame([pl.Series("device", devices, pl.Utf8)]);
const rows = (devices: (string | null)[], n: number) =>
  keys(devices).withColumns(pl.lit(n).cast(pl.Int64).alias("n")).select("device", "n");
const shown = (store: MemoryStore) => store.all().then((all) => all.rows().map(String).sort());

test("changes that followed each other are as one what they are one by one", async () => {
  const device = fc.constantFrom("a", "b", "c", "d", null);
  const change = fc.tuple(fc.uniqueArray(device), fc.uniqueArray(device));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(device), fc.array(change, { minLength: 1, maxLength: 6 }), async (held, all) => {
      const start = rows(held, -1);
      const changes = all.map(
        ([upserted, removed], i): Changes => ({
          upserted: rows(upserted, i),
          removed: keys(removed.filter((one) => !upserted.includes(one))),
        }),
      );
      const [single, joined] = [new MemoryStore(spec, { rows: start }), new MemoryStore(spec, { rows: start })];
      for (const { upserted, removed } of changes) {
        await single.upsert(upserted);
        await single.remove(removed);
      }
      const one = joinedChanges(spec, changes);
      assert.equal(one.upserted.unique({ subset: ["device"] }).height, one.upserted.height, "each key once");
      // as the state file does it: keys go, then rows come
      await joined.remove(one.removed);
      await joined.upsert(one.upserted);
      assert.deepEqual(await shown(joined), await shown(single));
    }),
  );
});

test("keys that are equal in a store are one key: nulls, NaNs, zeros of both signs; a column may have any name", () => {
  const odd = { name: "odd", key: ["x", "_at"], schema: { x: "Float64", _at: "Utf8", n: "Float64" } } as const;
  const change = (x: (number | null)[], n: number, removed: (number | null)[] = []): Changes => {
    const keysOf = (values: (number | null)[]) =>
      pl.DataFrame([
        pl.Series("x", values, pl.Float64),
        pl.Series(
          "_at",
          values.map(() => null),
          pl.Utf8,
        ),
      ]);
    return { upserted: keysOf(x).withColumns(pl.lit(n).cast(pl.Float64).alias("n")), removed: keysOf(removed) };
  };
  const joined = joinedChanges(odd, [
    change([Number.NaN, 0, null, 1, 2], 1),
    change([-0, Number.NaN, 3], 2, [null, 1]),
    change([1], 3, [Number.NaN, 3]),
  ]);
  const shownRows = joined.upserted.rows().map(([x, at, n]) => `${Object.is(x, -0) ? 0 : x} ${at} ${n}`);
  assert.deepEqual(shownRows.sort(), ["0 null 2", "1 null 3", "2 null 1"]);
  assert.deepEqual(joined.removed.rows().map(String).sort(), [",", "3,", "NaN,"]);
  assert.deepEqual(joined.upserted.columns, ["x", "_at", "n"]);
});
