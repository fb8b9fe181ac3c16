import type { Schema } from "../../schema.ts";
import type { ColTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Code with a state object per key, and timers. */
export interface ProcessNode {
  readonly kind: "process";
  readonly input: PlanNode;
  /** The columns whose values form the key. */
  readonly by: readonly ColTree[];
  /** Columns that it emits, beside the key. */
  readonly schema: Schema;
  /** Milliseconds of event time without a row of the key after which its state and timers are forgotten. */
  readonly ttl?: number;
  /** Metadata that the functions name. */
  readonly metadata: readonly string[];
  /** The functions as they were written. */
  readonly source: Readonly<Record<string, string>>;
  /** Makes the state of a key that has none. */
  readonly initial: () => unknown;
  readonly onRow: (row: any, context: any) => unknown;
  readonly onTimer?: (timer: any, context: any) => unknown;
}

export function processNode(options: Omit<ProcessNode, "kind">): ProcessNode {
  return Object.freeze({ kind: "process", ...options });
}
