import type { FormatName } from "../../format/names.ts";
import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Rows written to a topic. */
export interface SinkNode {
  readonly kind: "sink";
  readonly id: string;
  readonly input: PlanNode;
  readonly topic: string;
  /** The column written as the record key; without it the key of the source record (`_key`). */
  readonly key?: string;
  readonly format: FormatName;
  /** Columns written as the value; without it every column except metadata. */
  readonly value?: readonly string[];
  /**
   * Rows for which this is true are written as tombstones (a null value). In the rows of a compiled program it is the
   * Boolean column `_delete`.
   */
  readonly delete?: ExprTree;
}

export function sinkNode(options: Omit<SinkNode, "kind">): SinkNode {
  return Object.freeze({ kind: "sink", ...options });
}
