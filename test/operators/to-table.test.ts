import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import { toTableNode } from "../../lib/plan/nodes/to-table-node.ts";
import { pl } from "../../lib/plan/pl.ts";
import { schemaOf } from "../../lib/schema.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const stateful = phones.withColumns(pl.col("i").cumSum().over("device").alias("sum"));

test(`a table with a key holds the last row per key, one without every row, and rows go on (seed ${seed})`, async () => {
  const last = new StreamFrame(toTableNode({ input: stateful.node, name: "last", key: ["device", "b"] }));
  const all = new StreamFrame(toTableNode({ input: stateful.node, name: "all" }));
  await fc.assert(
    fc.asyncProperty(rows(60), splits, fc.boolean(), async (list, sizes, reopen) => {
      const expected = frameOf(list).withColumns(pl.col("i").cumSum().over("device").alias("sum"));
      const kept = await run(last, frameOf(list), { splits: sizes, reopen });
      assertFramesEqual(values(kept.rows), expected, "rows go on");
      const order = (frame: typeof expected) => frame.sort(["t", "device", "b", "i"], false);
      const table = await kept.stores.get("last")!.all();
      const unique = expected.unique({ subset: ["device", "b"], keep: "last", maintainOrder: true });
      assertFramesEqual(order(table.select(...expected.columns)), order(unique), "the last per key");
      const every = await (await run(all, frameOf(list), { splits: sizes, reopen })).stores.get("all")!.all();
      assertFramesEqual(every.sort("_row").drop("_row"), expected, "every row, in order");
    }),
    { seed, numRuns: runs(20) },
  );
});

test("two tables of one name, a name of other state, and unknown keys are refused", () => {
  const schemas = new Map([[(phones.node as { id: string }).id, schemaOf(frameOf([]))]]);
  const table = (name: string, input = stateful, key?: string[]) =>
    toTableNode({ input: input.node, name, ...(key && { key }) });
  const refused =
    (...tables: ReturnType<typeof table>[]) =>
    () =>
      compile(tables, schemas);
  assert.throws(refused(table("a"), table("a", phones)), { code: "NO_TABLE" });
  assert.throws(refused(table("watermark")), { code: "NO_TABLE" });
  assert.throws(refused(table("sum_by_device")), { code: "NO_TABLE" });
  assert.throws(refused(table("a", stateful, ["nobody"])), { code: "UNKNOWN_COLUMN" });
  assert.equal(compile([table("a"), table("b", stateful, ["device"])], schemas).terminals.length, 2);
});
