import type { Schema } from "../../schema.ts";
import type { PlanNode } from "./plan-node.ts";

/** A function given a row, to give one (`map`) or any number of them (`flatMap`). */
export interface MapNode {
  readonly kind: "map";
  readonly input: PlanNode;
  /** Whether it gives any number of rows. */
  readonly many: boolean;
  /** Columns that it gives. */
  readonly schema: Schema;
  /** Columns of the input that go along as they are. */
  readonly keep: "all" | readonly string[];
  /** Metadata that the function names. */
  readonly metadata: readonly string[];
  /** The function as it was written; what counts in keys and fingerprints. */
  readonly source: string;
  readonly fn: (row: any) => unknown;
}

export function mapNode(options: Omit<MapNode, "kind">): MapNode {
  return Object.freeze({ kind: "map", ...options });
}
