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
