import type { Calendar } from "../calendar.ts";
import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** The rows that came too late for windows: those of the windows' input, each once, with the windows it missed. */
export interface LateNode {
  readonly kind: "late";
  /** The input of the windows. */
  readonly input: PlanNode;
  readonly indexColumn: string;
  /** All in milliseconds, as those of the windows; nothing for sessions and rolling windows. */
  readonly every: number;
  readonly period: number;
  readonly offset: number;
  readonly grace: number;
  /** Ms of the wall clock without records after which what is open closes. */
  readonly idle?: number;
  readonly calendar?: Calendar;
  /** Of sessions. */
  readonly session?: { readonly gap: number; readonly by: readonly ExprTree[] };
  /** Of rolling windows. */
  readonly rolling?: { readonly offset: number; readonly period: number };
}

export function lateNode(options: Omit<LateNode, "kind">): LateNode {
  return Object.freeze({ kind: "late", ...options });
}
