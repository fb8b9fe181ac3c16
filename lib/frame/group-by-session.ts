import { groupBySessionNode } from "../plan/nodes/group-by-session-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { Columns } from "./arguments.ts";
import type { StreamFrame } from "./stream-frame.ts";
import {
  checkEmit,
  type Emit,
  idleOf,
  keyTrees,
  knownOptions,
  nonNegative,
  positive,
  StreamWindows,
} from "./window-options.ts";

export interface GroupBySessionOptions {
  readonly by?: Columns;
  /** A row this long after the one before it, or later, begins a new session. */
  readonly gap: string;
  /** The column of event time; `_time` if not given. */
  readonly indexColumn?: string;
  /** How long after its end a session waits for late rows; `"0s"` if not given. */
  readonly grace?: string;
  /**
   * Closes what is open once the partition has been without records for this long (`"5s"`) by the wall clock, as if event time had come to the end of it;
   * rows that come for it afterwards are late. Without it windows wait for event time alone, and results never depend on the clock.
   */
  readonly idle?: string;
  /**
   * `"close"` (default): a row per session once it closes. `"update"`: its row after every batch that changed it; a session that another one took
   * up, or that now starts earlier, is given once more with all values and `window_end` null.
   */
  readonly emit?: Emit;
}

/** @throws Refusal `BAD_DURATION`, `BAD_OPTION`, `NO_EXACT_STREAMING_MEANING` */
export function groupBySession(
  input: PlanNode,
  options: GroupBySessionOptions,
  frame: (node: PlanNode) => StreamFrame,
): StreamWindows {
  knownOptions("groupBySession", options, ["by", "gap", "indexColumn", "grace", "idle", "emit"]);
  const { by = [], gap, indexColumn = "_time", grace = "0s", emit = "close" } = options;
  const spec = {
    input,
    indexColumn,
    gap: positive(gap, "gap"),
    grace: nonNegative(grace, "grace"),
    ...idleOf(options),
    by: keyTrees(by, "groupBySession", input),
    emit: checkEmit(emit),
  };
  return new StreamWindows(input, (aggs) => frame(groupBySessionNode({ ...spec, aggs })));
}
