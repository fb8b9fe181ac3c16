import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { schemaOf } from "../../lib/schema.ts";
import { linearModel } from "./onnx-file.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { asSource, assertFramesEqual, compileFrame, memoryStores, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });

test(`a function of columns equals the expression, null as NaN, however rows are split (seed ${seed})`, async () => {
  const frame = phones.predict(
    ({ x, y, s }: { x: Float64Array; y: Float64Array; s: (string | null)[] }) => ({
      score: x.map((value, i) => 2 * value - y[i]!),
      long: s.map((text) => (text === null ? null : text.length > 3)),
    }),
    { features: ["x", "y", "s"], as: { score: "Float64", long: "Boolean" } },
  );
  await fc.assert(
    fc.asyncProperty(rows(40), splits, async (list, sizes) => {
      const input = frameOf(list);
      const nan = polars.lit(Number.NaN);
      const expected = input.withColumns(
        polars.col("x").fillNull(nan).multiplyBy(polars.lit(2)).minus(polars.col("y").fillNull(nan)).alias("score"),
        polars.col("s").str.lengths().gt(polars.lit(3)).alias("long"),
      );
      const bytes = expected.withColumns(
        polars
          .when(polars.col("s").eq(polars.lit(" γ ")))
          .then(polars.lit(false))
          .otherwise(polars.col("long"))
          .alias("long"),
      );
      assertFramesEqual(values((await run(frame, input, { splits: sizes })).rows), bytes);
    }),
    { seed, numRuns: runs(15) },
  );
});

test("rows for which the model fails are found by halving; a column it gives replaces one of its name", async () => {
  let calls = 0;
  const frame = phones.predict(
    ({ i }: { i: Float64Array }) => {
      calls++;
      if (i.some((value) => value % 10 === 3)) throw new Error("three");
      return i.map((value) => value / 2);
    },
    { features: "i", as: "x" },
  );
  const input = frameOf(
    Array.from({ length: 16 }, (_, i) => ({ device: "a", t: i, x: 0, y: 0, i, j: 0, s: "", b: true, d: 0 })),
  );
  const program = compileFrame(frame, schemaOf(input));
  const task = await program.open(memoryStores());
  const offsets = polars
    .Series(
      "_offset",
      Float64Array.from({ length: 16 }, (_, i) => i),
    )
    .cast(polars.Int64);
  const source = asSource(input).drop("_offset").hstack([offsets]) as unknown as polars.DataFrame;
  const result = await task.process(new Map([[program.sources[0]!.id, source]]));
  assert.deepEqual(
    result.bad.map(({ offset, reason }) => [offset, reason]),
    [
      [3, "predict: three"],
      [13, "predict: three"],
    ],
  );
  assert.deepEqual(
    result.rows[0]!.frame.getColumn("x").toArray(),
    [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15].map((i) => i / 2),
  );
  assert.ok(calls < 2 * 16, `${calls} calls`);
});

test("a model that gives too few values, or others than named, makes bad records that say so", async () => {
  const wrong: readonly [(columns: any) => any, string | object, RegExp][] = [
    [() => [], "p", /0 values of "p" for 1 rows/],
    [() => 1, "p", /gave 1, not columns/],
    [() => ["high"], "p", /"p" is "high", not Float64/],
    [() => [1], { p: "Float64", q: "Float64" }, /one list, not one each for p, q/],
  ];
  const input = frameOf([{ device: "a", t: 0, x: 0, y: 0, i: 0, j: 0, s: "", b: true, d: 0 }]);
  for (const [model, as, reason] of wrong) {
    const program = compileFrame(phones.predict(model, { features: "x", as: as as string }), schemaOf(input));
    const task = await program.open(memoryStores());
    const { bad } = await task.process(new Map([[program.sources[0]!.id, asSource(input)]]));
    assert.match(bad[0]!.reason, reason);
  }
});

/** 300 MB: no dependency of the project. Where it is installed, the model runs; where it is not, the refusal is what is tested. */
const hasRuntime = (() => {
  try {
    return createRequire(path.join(process.cwd(), "package.json")).resolve("onnxruntime-node") !== "";
  } catch {
    return false;
  }
})();

test("an ONNX file computes its column, or names the package it needs", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "millrace-onnx-"));
  const file = path.join(folder, "linear.onnx");
  await writeFile(file, linearModel([2, -0.5], 1));
  const frame = phones.predict(file, { features: ["x", "y"], as: "score" });
  const list = [1, 2, 3].map((x) => ({ device: "a", t: x, x, y: 4, i: 0, j: 0, s: "", b: true, d: 0 }));
  try {
    assert.match(frame.explain(), /model: .*linear\.onnx \(ONNX, sha256 [0-9a-f]{12}\)/);
    const made = run(frame, frameOf(list), { splits: [1] });
    if (hasRuntime) assert.deepEqual((await made).rows.getColumn("score").toArray(), [1, 3, 5]);
    else await assert.rejects(made, (error: any) => error.code === "NO_ONNX_RUNTIME");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("predict refuses a model file that is not there, and missing options", () => {
  const model = (columns: any) => columns.x;
  const refused: readonly [() => unknown, string][] = [
    [() => phones.predict("no-such-model.onnx", { features: "x", as: "p" }), "NO_MODEL"],
    [() => phones.predict(model, { as: "p" } as any), "NO_FEATURES"],
    [() => phones.predict(model, { features: "x" } as any), "NO_SCHEMA"],
    [() => phones.predict(model, { features: "x", as: "p", batch: 3 } as any), "BAD_OPTION"],
  ];
  for (const [build, code] of refused) assert.throws(build, (error: any) => error.code === code);
});
