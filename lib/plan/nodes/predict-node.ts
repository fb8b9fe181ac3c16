import type { Schema } from "../../schema.ts";
import type { PlanNode } from "./plan-node.ts";

/** Columns computed by a model from columns, a batch at a time. */
export interface PredictNode {
  readonly kind: "predict";
  readonly input: PlanNode;
  /** The columns it is given, in order. */
  readonly features: readonly string[];
  /** The columns it adds. */
  readonly schema: Schema;
  /** What counts in keys and fingerprints: the function as it was written, or the hash of the file. */
  readonly source: string;
  /** An ONNX file. */
  readonly path?: string;
  /** Or a function of columns. */
  readonly fn?: (columns: any) => unknown;
}

export function predictNode(options: Omit<PredictNode, "kind">): PredictNode {
  return Object.freeze({ kind: "predict", ...options });
}
