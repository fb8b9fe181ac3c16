import { Refusal } from "../error.ts";
import { parseDuration } from "../plan/duration.ts";
import { groupByRollingNode } from "../plan/nodes/group-by-rolling-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { Columns } from "./arguments.ts";
import type { StreamFrame } from "./stream-frame.ts";
import { idleOf, keyTrees, knownOptions, nonNegative, positive, StreamWindows } from "./window-options.ts";

export interface GroupByRollingOptions {
  /** The column of event time: the topic's `time` column, or `_time`. */
  readonly indexColumn: string;
  readonly by?: Columns;
  /** How long the window of a row is. */
  readonly period: string;
  /** Where it starts, from the row's time on; `-period` if not given, so that it ends with the row. */
  readonly offset?: string;
  /** Which ends belong to it; `"right"` if not given. */
  readonly closed?: "left" | "right" | "both" | "none";
  /** How much longer a row waits for late ones; `"0s"` if not given. */
  readonly grace?: string;
  /**
   * Gives the rows that wait once the partition has been without records for this long (`"5s"`) by the wall clock, as if event time had come to the end of it;
   * rows that come for it afterwards are late. Without it windows wait for event time alone, and results never depend on the clock.
   */
  readonly idle?: string;
}

/** @throws Refusal `BAD_DURATION`, `BAD_OPTION`, `NO_EXACT_STREAMING_MEANING` */
export function groupByRolling(
  input: PlanNode,
  options: GroupByRollingOptions,
  frame: (node: PlanNode) => StreamFrame,
): StreamWindows {
  knownOptions("groupByRolling", options, ["indexColumn", "by", "period", "offset", "closed", "grace", "idle"]);
  const { indexColumn, by = [], closed = "right", grace = "0s" } = options;
  if (!["left", "right", "both", "none"].includes(closed))
    throw new Refusal({ code: "BAD_OPTION", what: `closed "${closed}" is none of "left", "right", "both", "none"` });
  const period = positive(options.period, "period");
  const spec = {
    input,
    indexColumn,
    period,
    offset: options.offset === undefined ? -period : parseDuration(options.offset, "offset"),
    grace: nonNegative(grace, "grace"),
    ...idleOf(options),
    closed,
    by: keyTrees(by, "groupByRolling", input),
  };
  return new StreamWindows(input, (aggs) => frame(groupByRollingNode({ ...spec, aggs })));
}
