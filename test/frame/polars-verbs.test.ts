import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { Refusal } from "../../lib/error.ts";
import { REFUSED_VERBS } from "../../lib/frame/refused-verbs.ts";
import { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { assertFramesEqual, run, values } from "../operators/run-program.ts";
import { memberNames } from "../support/member-names.ts";

const phones = topic("phones", { key: "device", time: "t" });

/** What a lazy frame has that is no verb. */
const OTHERS = new Set(["_ldf", "columns", "clone", "toJSON", "serialize"]);

test("every verb of Polars' LazyDataFrame is there, or refused by name with what works", () => {
  const lazy = polars.DataFrame({ a: [1] }).lazy();
  const verbs = memberNames(lazy).filter((name) => !OTHERS.has(name));
  assert.ok(verbs.length > 40);
  for (const verb of verbs) {
    if (verb in REFUSED_VERBS) {
      assert.ok(!Object.hasOwn(StreamFrame.prototype, verb), verb);
      assert.throws(
        () => (phones as any)[verb](1),
        (error) =>
          error instanceof Refusal &&
          error.code === "NO_EXACT_STREAMING_MEANING" &&
          error.remedies.length > 0 &&
          error.message.includes(`.${verb}()`),
      );
    } else assert.equal(typeof (StreamFrame.prototype as any)[verb], "function", verb);
  }
  for (const verb of Object.keys(REFUSED_VERBS)) assert.ok(verbs.includes(verb), `${verb} is a verb of Polars`);
});

test("verbs over all columns are those of Polars", async () => {
  const frame = polars
    .DataFrame({
      device: ["a", "b", "a", "b"],
      x: [1.5, null, Number.NaN, 2],
      i: [1, 2, null, 4],
      s: ["u", null, "v", "w"],
    })
    .withColumns(polars.lit(0).cast(polars.Datetime("ms")).alias("t"));
  for (const verb of [
    (rows: any) => rows.select("x", "i").fillNull(0),
    (rows: any) => rows.select("s").fillNull("none"),
    (rows: any) => rows.select("x").fillNan(7),
    (rows: any) => rows.dropNulls(),
    (rows: any) => rows.dropNulls("x"),
    (rows: any) => rows.dropNulls(["x", "i"]),
    (rows: any) => rows.withColumn(polars.col("i").plus(1).alias("j")),
    (rows: any) => rows.withColumnRenamed("i", "j"),
  ]) {
    const wanted = verb(frame.lazy()).collectSync() as polars.DataFrame;
    assertFramesEqual(values((await run(verb(phones), frame, { splits: [1, 0, 2] })).rows), wanted, String(verb));
  }
});
