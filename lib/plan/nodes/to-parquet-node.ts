import type { PlanNode } from "./plan-node.ts";

/** Rows written to Parquet files. */
export interface ToParquetNode {
  readonly kind: "toParquet";
  readonly input: PlanNode;
  /** As the program names it. */
  readonly folder: string;
}

export function toParquetNode(options: Omit<ToParquetNode, "kind">): ToParquetNode {
  return Object.freeze({ kind: "toParquet", ...options });
}
