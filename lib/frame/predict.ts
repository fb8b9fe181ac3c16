import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Refusal } from "../error.ts";
import { sourceOf } from "../plan/function-source.ts";
import { checkGiven } from "../plan/givable.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { type PredictNode, predictNode } from "../plan/nodes/predict-node.ts";
import type { Schema } from "../schema.ts";
import { checkOptions } from "./options.ts";

/**
 * A model as a function of columns: numbers as Float64Array (NaN for null), everything else as arrays. It gives one list of values as long as
 * the columns, or one per column of `as`. The values of a row may depend on that row only: how rows fall into batches is not defined.
 */
export type Model = (columns: any) => ArrayLike<unknown> | Readonly<Record<string, ArrayLike<unknown>>> | Promise<any>;

export interface PredictOptions {
  /** The columns that the model is given, in order. */
  readonly features: string | readonly string[];
  /** The column that is added (Float64), or several with their dtypes: `{ crash: "Boolean", score: "Float64" }`. */
  readonly as: string | Schema;
}

/** @throws Refusal `NO_MODEL`, `NO_FEATURES`, `NO_SCHEMA`, `BAD_SCHEMA`, `BAD_OPTION` */
export function predictNodeOf(input: PlanNode, model: Model | string, options: PredictOptions): PredictNode {
  checkOptions("predict", options ?? {}, ["features", "as"]);
  const { features, as } = options ?? {};
  const names = features === undefined ? [] : [features].flat();
  if (names.length === 0 || names.some((name) => typeof name !== "string"))
    throw new Refusal({
      code: "NO_FEATURES",
      what: "predict was not told which columns the model is given",
      where: "predict",
      remedies: ['.predict(model, { features: ["gForceX", "gForceY"], as: "crash" })'],
    });
  const schema = checkGiven(
    typeof as === "string" ? { [as]: "Float64" } : as,
    "predict",
    '{ features: […], as: "crash" }',
  );
  const common = { input, features: Object.freeze(names), schema };
  if (typeof model !== "string")
    return predictNode({ ...common, source: sourceOf(model, "predict", { async: true }), fn: model });
  return predictNode({ ...common, source: hashOf(model), path: model });
}

function hashOf(path: string): string {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch (cause) {
    throw new Refusal({
      code: "NO_MODEL",
      what: `the model file ${path} cannot be read: ${(cause as Error).message}`,
      where: "predict",
      remedies: ["give the path of an ONNX file, from the notebook's folder", "or a function of columns"],
      cause,
    });
  }
}
