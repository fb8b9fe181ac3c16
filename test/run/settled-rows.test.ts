import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { settledRows } from "../../lib/run/sink/settled-rows.ts";

const phone = topic("phones", { key: "device" });
const frame = (device: string[], n: number[]) => polars.DataFrame({ device, n });
const batches = [frame(["a", "b"], [1, 1]), frame([], []), frame(["b", "a"], [2, 3])];

test("of updates the last row per key is what counts; other rows all do", () => {
  const counts = phone.groupBy("device").agg(pl.len().alias("n")).to("counts", { key: "device" });
  assert.deepEqual(
    settledRows(counts.node, batches).flatMap((rows) => rows.toRecords()),
    [
      { device: "b", n: 2 },
      { device: "a", n: 3 },
    ],
  );
  const all = phone.select("device", "n").to("all");
  assert.deepEqual(settledRows(all.node, batches), batches);
});
