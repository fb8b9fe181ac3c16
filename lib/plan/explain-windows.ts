import { splitAggregates } from "./analysis/aggregates.ts";
import { printDuration } from "./duration.ts";
import type { GroupByCountNode } from "./nodes/group-by-count-node.ts";
import type { GroupByDynamicNode } from "./nodes/group-by-dynamic-node.ts";
import type { GroupByNode } from "./nodes/group-by-node.ts";
import type { GroupByRollingNode } from "./nodes/group-by-rolling-node.ts";
import type { GroupBySessionNode } from "./nodes/group-by-session-node.ts";
import type { LateNode } from "./nodes/late-node.ts";
import { print } from "./print.ts";
import type { ExprTree } from "./tree.ts";

/** Verbs that make groups of rows. */
export type WindowNode =
  | GroupByDynamicNode
  | GroupBySessionNode
  | GroupByCountNode
  | GroupByRollingNode
  | GroupByNode
  | LateNode;

/** What is known of a window verb, in lines: its windows, the state it keeps and how fast that grows, when it gives rows. */
export function explainWindows(node: WindowNode): string[] {
  switch (node.kind) {
    case "groupByDynamic":
      return [
        `groupByDynamic ${shape(node)} of "${node.indexColumn}" by ${keys(node)}${shift(node)}`,
        aggregates(node),
        `state: one row per key and open window (${keys(node)}); grows with keys times open windows`,
        ...kept(node, "open windows"),
        closes("a window", node.grace),
        ...idle(node),
        gives("window", node.emit),
      ];
    case "groupBySession":
      return [
        `groupBySession with a gap of ${printDuration(node.gap)} of "${node.indexColumn}" by ${keys(node)}`,
        aggregates(node),
        `state: one row per key and open session (${keys(node)}); grows with the keys seen in the last ${printDuration(node.gap + node.grace)}`,
        ...kept(node, "open sessions", "rows"),
        closes("a session", node.grace),
        ...idle(node),
        gives("session", node.emit),
        ...(node.emit === "update"
          ? ["takes back: a session that another took up, by its row with window_end null"]
          : []),
      ];
    case "groupByCount":
      return [
        `groupByCount ${node.period} rows${node.every === node.period ? "" : ` every ${node.every} rows`} by ${keys(node)}`,
        aggregates(node),
        `state: per key (${keys(node)}) the number of its rows and ${Math.ceil(node.period / node.every)} open ${node.period > node.every ? "windows" : "window"}; grows with the number of keys; no horizon`,
        ...kept(node, "open windows", "rows"),
        node.emit === "close"
          ? "gives: one row per window, when its last row has come"
          : "gives: the window's row after every batch that changed it",
      ];
    case "groupByRolling": {
      const from = printDuration(node.offset);
      const to = printDuration(node.offset + node.period);
      return [
        `groupByRolling from ${from} to ${to} around each row's "${node.indexColumn}" (closed ${node.closed}) by ${keys(node)}`,
        aggregates(node),
        `state: every row of the last ${printDuration(reach(node))} of event time, and those that wait; grows with the rows in that time`,
        `waits: a row is given once the watermark has passed the end of its window${grace(node.grace)}; a row that is older than the watermark${node.grace === 0 ? "" : ` and ${printDuration(node.grace)} of grace`} when it comes is counted as late and left out`,
        ...idle(node),
        "gives: one row per row, in the order of event time",
      ];
    }
    case "groupBy":
      return [
        `groupBy ${node.by.map(print).join(", ")}${node.ttl === undefined ? "" : `, forgotten ${printDuration(node.ttl)} after its last row`}`,
        aggregates(node),
        node.ttl === undefined
          ? `state: one row per key (${keys(node)}); grows with the number of keys; no horizon (give ttl)`
          : `state: one row per key (${keys(node)}) that had a row in the last ${printDuration(node.ttl)} of event time`,
        ...kept(node, "a key"),
        "gives: the key's row after every batch that changed it; the last one is exact",
      ];
    case "late":
      return explainLate(node);
  }
}

function explainLate(node: LateNode): string[] {
  if (node.session !== undefined)
    return [
      `late rows of sessions with a gap of ${printDuration(node.session.gap)}, with their missed_windows`,
      `state: start and end of each open session; grows with the keys seen in the last ${printDuration(node.session.gap + node.grace)}`,
    ];
  if (node.rolling !== undefined) return ["late rows of rolling windows", "state: none"];
  const windows = node.calendar ? shape(node) : `of ${printDuration(node.period)} every ${printDuration(node.every)}`;
  return [`late rows of windows ${windows}, with their missed_windows`, "state: none"];
}

function shape({ every, period, calendar }: Pick<GroupByDynamicNode, "every" | "period" | "calendar">): string {
  if (calendar === undefined)
    return period === every
      ? `tumbling ${printDuration(every)}`
      : `${printDuration(period)} every ${printDuration(every)}`;
  const days = `by the calendar of ${calendar.timeZone}`;
  return calendar.period === calendar.every
    ? `tumbling ${calendar.every} ${days}`
    : `${calendar.period} every ${calendar.every} ${days}`;
}

function shift({ offset, calendar }: GroupByDynamicNode): string {
  if (calendar !== undefined)
    return calendar.offset === "0s" ? "" : `, starts shifted by ${calendar.offset} on the clock`;
  return offset === 0 ? "" : `, starts shifted by ${printDuration(offset)}`;
}

function keys({ by }: { readonly by: readonly ExprTree[] }): string {
  return by.length === 0 ? "no key" : by.map(print).join(", ");
}

function aggregates({ aggs }: { readonly aggs: readonly ExprTree[] }): string {
  return `agg ${aggs.map(print).join(", ")}`;
}

/** What aggregates keep beside a value per group. */
function kept({ aggs }: { readonly aggs: readonly ExprTree[] }, where: string, distinctAs = "distinct"): string[] {
  const all = splitAggregates(aggs).aggregates;
  const as = (keeps: string): string[] =>
    all.filter((one) => (one.keeps === "distinct" ? distinctAs : one.keeps) === keeps).map(({ tree }) => print(tree));
  const [rows, distinct] = [as("rows"), as("distinct")];
  return [
    ...(rows.length === 0 ? [] : [`state: every row of ${where}, for ${rows.join(", ")}; grows with the rows in them`]),
    ...(distinct.length === 0
      ? []
      : [`state: each different value of ${where}, for ${distinct.join(", ")}; grows with the values in them`]),
  ];
}

function closes(what: string, ms: number): string {
  return `closes: when the partition's watermark reaches the end of ${what}${grace(ms)}; later rows are counted as late`;
}

function idle({ idle }: { readonly idle?: number }): string[] {
  if (idle === undefined) return [];
  return [
    `idle: also after ${printDuration(idle)} of the wall clock without records in the partition; rows that come for it afterwards are late. When that happens depends on when it runs, not on the records alone: a replay does not do it`,
  ];
}

function grace(ms: number): string {
  return ms === 0 ? "" : ` and ${printDuration(ms)} of grace`;
}

function gives(what: string, emit: "close" | "update"): string {
  return emit === "close"
    ? `gives: one row per ${what}, when it closes`
    : `gives: the ${what}'s row after every batch that changed it`;
}

/** How far back a row may be needed, ms. */
export function reach({ offset, period }: { readonly offset: number; readonly period: number }): number {
  return Math.max(-offset, period, offset + period);
}
