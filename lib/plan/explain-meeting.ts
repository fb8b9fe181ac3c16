import { printDuration } from "./duration.ts";
import type { JoinAsOfNode } from "./nodes/join-as-of-node.ts";
import type { JoinNode } from "./nodes/join-node.ts";
import type { JoinTableNode } from "./nodes/join-table-node.ts";
import type { JoinTablesNode } from "./nodes/join-tables-node.ts";
import type { MeetingNode } from "./nodes/meeting-node.ts";
import { isForeign, tableKeys } from "./table-keys.ts";

const ORDER = "read together: in the order of event time (the largest so far of each side), partition by partition";

/** Joins, tables and concat as `explain` shows them. */
export function explainMeeting(node: MeetingNode): string[] {
  switch (node.kind) {
    case "concat":
      return [`concat of ${1 + node.others.length} frames`, ORDER, "state: none"];
    case "joinAsof":
      return asOf(node);
    case "join":
      return interval(node);
    case "joinTable":
      return tableLookup(node);
    case "joinStatic":
      return [
        `join ${node.how} with ${node.origin} on ${pairs(node.leftOn, node.rightOn)}`,
        `fixed rows, loaded once; digest ${node.digest}`,
        "state: none",
      ];
    case "joinTables":
      if (isForeign(node)) return foreign(node);
      return [
        `join ${node.how} of two tables on ${pairs(node.leftOn, node.rightOn)}`,
        ORDER,
        "state: the newest row of both sides per key; grows with the number of keys; no horizon; tombstones delete",
        "gives: the joined row of a key again whenever either side changes; the last one is exact",
      ];
    case "table":
      return [
        `table: the newest row per ${node.key}; a record without a value deletes its row`,
        "gives: a row per change; the last one per key is the table",
      ];
  }
}

function foreign(node: JoinTablesNode): string[] {
  return [
    `join ${node.how} of two tables on the foreign key ${pairs(node.leftOn, node.rightOn)}`,
    "placed anew: the right table goes to every partition; a job sends it through a topic of its own",
    ORDER,
    "state: the newest row of both sides per key, the right table in every partition; grows with the number of keys; no horizon; tombstones delete",
    `gives: the joined row of ${tableKeys(node)!.join(", ")} again whenever either side changes; the last one is exact`,
  ];
}

function asOf(node: JoinAsOfNode): string[] {
  const { leftOn, rightOn, byLeft, byRight, strategy, tolerance, history, grace } = node;
  const within = tolerance === undefined ? "" : ` within ${printDuration(tolerance)}`;
  const waits = (strategy === "forward" ? tolerance! : 0) + (grace ?? 0);
  return [
    `joinAsof ${strategy} on ${pairs([leftOn], [rightOn])} by ${pairs(byLeft, byRight)}${within}`,
    ORDER,
    strategy === "backward" && grace === undefined
      ? "gives: each left row when it is read, with the nearest right row read before it"
      : `gives: each left row once the watermark is ${printDuration(waits)} past it`,
    `state: right rows of the last ${printDuration(history)} and, backward, one older row per key; grows with the number of keys`,
    `late: a left row later than ${printDuration(history)} finds nothing and is counted`,
  ];
}

function interval(node: JoinNode): string[] {
  const { leftOn, rightOn, how, before, after, grace } = node;
  const range =
    before === after
      ? `within ${printDuration(before)}`
      : `from ${printDuration(before)} before to ${printDuration(after)} after the left row`;
  return [
    `join ${how} on ${pairs(leftOn, rightOn)} ${range}`,
    ORDER,
    how === "inner" || how === "semi"
      ? "gives: a pair as soon as the later of its rows is read"
      : "gives: a pair as soon as the later of its rows is read; a row without a partner once the watermark says that none comes",
    `state: the rows of both sides for ${printDuration(Math.max(before, after) + grace)} of event time, with one number each`,
    `late: a row out of order by more than ${printDuration(grace)} may miss partners already given up, and is counted`,
  ];
}

function tableLookup({ leftOn, rightOn, how, history }: JoinTableNode): string[] {
  return [
    `join ${how} with a table on ${pairs(leftOn, rightOn)}`,
    history === undefined
      ? "version: the newest one read (latest); depends on when the table is read, so it is not replayable"
      : "version: the one at the row's event time",
    ...(history === undefined ? [] : [ORDER]),
    history === undefined
      ? "state: one row per key of the table; grows with the number of keys; tombstones delete"
      : `state: one row per key of the table and its versions of the last ${printDuration(history)}; grows with the number of keys; tombstones delete`,
    ...(history === undefined ? [] : [`late: a row later than ${printDuration(history)} finds nothing and is counted`]),
  ];
}

function pairs(left: readonly string[], right: readonly string[]): string {
  return left.length === 0
    ? "no key"
    : left.map((name, i) => (name === right[i] ? name : `${name} = ${right[i]}`)).join(", ");
}
