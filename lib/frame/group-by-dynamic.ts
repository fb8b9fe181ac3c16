import { Refusal } from "../error.ts";
import { type Calendar, checkTimeZone, longest, needsCalendar, parseCalendarDuration } from "../plan/calendar.ts";
import { parseDuration } from "../plan/duration.ts";
import { type GroupByDynamicNode, groupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
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

export interface GroupByDynamicOptions {
  /** The column of event time: the topic's `time` column, or `_time`; over the rows of windows also `window_start` or `window_end`. */
  readonly indexColumn: string;
  /** A window starts every … (`"1s"`); `"1w"` (from Monday), `"1mo"`, `"1q"` and `"1y"` go by the calendar, as `"1d"` does with a `timeZone`. */
  readonly every: string;
  /** How long a window lasts; `every` if not given. */
  readonly period?: string;
  /** Shifts the starts of all windows away from the epoch; in calendar windows on the clock on the wall: with `"6h"` days start at six. */
  readonly offset?: string;
  /** The time zone by whose calendar days, weeks and months go, as an IANA name; UTC if not given. */
  readonly timeZone?: string;
  readonly by?: Columns;
  /** How long after its end a window waits for late rows; `"0s"` if not given. */
  readonly grace?: string;
  /**
   * Closes what is open once the partition has been without records for this long (`"5s"`) by the wall clock, as if event time had come to the end of it;
   * rows that come for it afterwards are late. Without it windows wait for event time alone, and results never depend on the clock.
   */
  readonly idle?: string;
  /** `"close"` (default): a row per window once it closes. `"update"`: its row after every batch that changed it. */
  readonly emit?: Emit;
}

const KNOWN = ["indexColumn", "every", "period", "offset", "timeZone", "by", "grace", "idle", "emit"];

/** @throws Refusal `BAD_DURATION`, `BAD_OPTION`, `BAD_TIME_ZONE`, `NO_EXACT_STREAMING_MEANING` */
export function groupByDynamic(
  input: PlanNode,
  options: GroupByDynamicOptions,
  frame: (node: PlanNode) => StreamFrame,
): StreamWindows {
  knownOptions("groupByDynamic", options, KNOWN);
  const { indexColumn, by = [], grace = "0s", emit = "close" } = options;
  const spec: Omit<GroupByDynamicNode, "kind" | "aggs"> = {
    input,
    indexColumn,
    ...lengths(options),
    grace: nonNegative(grace, "grace"),
    ...idleOf(options),
    by: keyTrees(by, "groupByDynamic", input),
    emit: checkEmit(emit),
  };
  return new StreamWindows(input, (aggs) => frame(groupByDynamicNode({ ...spec, aggs })));
}

function lengths(options: GroupByDynamicOptions): Pick<GroupByDynamicNode, "every" | "period" | "offset" | "calendar"> {
  const { every, period = every, offset = "0s", timeZone } = options;
  if (timeZone === undefined && ![every, period, offset].some(needsCalendar)) {
    const each = positive(every, "every");
    return {
      every: each,
      period: options.period === undefined ? each : positive(period, "period"),
      offset: parseDuration(offset, "offset"),
    };
  }
  const calendar: Calendar = Object.freeze({ every, period, offset, timeZone: checkTimeZone(timeZone ?? "UTC") });
  const each = parseCalendarDuration(every, "every");
  const length = parseCalendarDuration(period, "period");
  const refuse = (what: string, remedy: string): never => {
    throw new Refusal({ code: "BAD_DURATION", what, where: "groupByDynamic", remedies: [remedy] });
  };
  if (each.ms !== 0 || each.months > 0 === each.days > 0 || each.months + each.days <= 0)
    refuse(
      `windows by the calendar start every few days, weeks or months, not every "${every}"`,
      'every: "1d", "1w", "1mo", "1q" or "1y"; for hours leave timeZone out, and shift them by offset: "30m" where its hours start at half past',
    );
  if (longest(length) <= 0 || [length.months, length.days, length.ms].some((part) => part < 0))
    refuse(`period "${period}" must be longer than nothing`, 'period: "7d"');
  const at = parseCalendarDuration(offset, "offset");
  return {
    every: longest(each),
    period: longest(length),
    offset: (at.months * 30 + at.days) * 86_400_000 + at.ms,
    calendar,
  };
}
