import { type Stage, splitStages } from "./analysis/stages.ts";
import { columnsRead } from "./columns-read.ts";
import { printDuration } from "./duration.ts";
import { explainCode } from "./explain-code.ts";
import { explainMeeting } from "./explain-meeting.ts";
import { explainPlacement, isPlacedAnew } from "./explain-placement.ts";
import { explainWindows } from "./explain-windows.ts";
import { explodedColumns } from "./nodes/explode-node.ts";
import { nodesOf, type PlanNode } from "./nodes/plan-node.ts";
import type { SinkNode } from "./nodes/sink-node.ts";
import type { SourceNode } from "./nodes/source-node.ts";
import type { ToTableNode } from "./nodes/to-table-node.ts";
import type { UniqueNode } from "./nodes/unique-node.ts";
import { print } from "./print.ts";
import { readAgain } from "./read-again.ts";
import type { ExprTree } from "./tree.ts";

/**
 * What runs, as text: the verbs from the source on, and below each the state it keeps, by which keys, and whether that grows.
 */
export function explain(node: PlanNode): string {
  return nodesOf([node])
    .flatMap((part, depth) => lines(part, node).map((line, i) => `${"  ".repeat(depth + (i === 0 ? 0 : 1))}${line}`))
    .join("\n");
}

/** A node in one line, as `explain` begins it. */
export function headline(node: PlanNode): string {
  return lines(node, node)[0]!;
}

/** A node's own lines. @param terminal the end of the plan, for what its source reads */
export function explainLines(node: PlanNode, terminal: PlanNode): readonly string[] {
  return lines(node, terminal);
}

function lines(node: PlanNode, terminal: PlanNode): string[] {
  const [head, ...own] = verbLines(node, terminal);
  return [head!, ...explainPlacement(node), ...explainReading(node, terminal), ...own];
}

const again = new WeakMap<PlanNode, ReturnType<typeof readAgain>>();

/** What is said where a topic is read once more. */
function explainReading(node: PlanNode, terminal: PlanNode): string[] {
  const found = again.get(terminal) ?? readAgain(terminal);
  again.set(terminal, found);
  const topics = found.get(node);
  if (topics === undefined) return [];
  return [
    `read again: topic ${topics.join(", ")}, for the other side: read in one order, rows would wait for what is made of them; its records are decoded once more`,
  ];
}

function verbLines(node: PlanNode, terminal: PlanNode): string[] {
  switch (node.kind) {
    case "source":
      return [...source(node), ...reading(terminal, node)];
    case "select":
    case "withColumns":
      return [`${node.kind} ${node.exprs.map(print).join(", ")}`, ...stateOf(node.exprs, node.ttl)];
    case "filter":
      return [`filter ${print(node.predicate)}`, ...stateOf([node.predicate], node.ttl)];
    case "rename":
      return [
        `rename ${Object.entries(node.mapping)
          .map(([from, to]) => `${from} -> ${to}`)
          .join(", ")}`,
      ];
    case "drop":
      return [`drop ${node.columns.join(", ")}`];
    case "explode":
      return [`explode ${explodedColumns(node).join(", ")}`];
    case "map":
    case "process":
    case "predict":
      return explainCode(node);
    case "unique":
      return unique(node);
    case "keyBy":
      return [node.keys.length === 0 ? "to a single partition" : `keyBy ${node.keys.map(print).join(", ")}`];
    case "unnest":
      return [`unnest ${node.columns.join(", ")}`];
    case "late":
    case "groupBy":
    case "groupByDynamic":
    case "groupBySession":
    case "groupByCount":
    case "groupByRolling":
      return explainWindows(node);
    case "sink":
      return sink(node);
    case "toTable":
      return toTable(node);
    case "toParquet":
      return [`Parquet files in ${node.folder}, one per partition and checkpoint`];
    default:
      return explainMeeting(node);
  }
}

function source({ topics, pattern, key, time, timeOf, timeCode, format, schema }: SourceNode): string[] {
  const name = pattern === undefined ? topics.join(", ") : `/${pattern}/`;
  return [
    `topic ${name} (${format})`,
    `event time: ${
      timeOf !== undefined
        ? print(timeOf)
        : timeCode !== undefined
          ? `code ${timeCode.split("\n")[0]}`
          : time === undefined
            ? "the record's timestamp"
            : `column "${time}"`
    }`,
    `record key: ${key === undefined ? "not a column; keyed verbs need topic(…, { key })" : `column "${key}"`}`,
    `schema: ${
      schema === undefined
        ? "inferred from a sample"
        : Object.entries(schema)
            .map(([column, dtype]) => `${column} ${dtype}`)
            .join(", ")
    }`,
    "watermark: the largest event time so far, over every valid record, before any filter",
  ];
}

function reading(terminal: PlanNode, node: SourceNode): string[] {
  const columns = columnsRead(terminal, node);
  return [
    columns === "all"
      ? "columns read: all of them"
      : `columns read: ${columns.join(", ") || "none"}; the others are not decoded`,
    isPlacedAnew(terminal)
      ? "partitions: one task each; where a verb has other keys than the record key, rows are placed anew before it"
      : "partitions: one task each; keyed verbs have the record key among their keys, so that nothing is repartitioned",
    ...waits(node),
  ];
}

/** What is waited for, and for how long. */
function waits({ topics, pattern, idle }: SourceNode): string[] {
  return [
    ...(topics.length > 1 || pattern !== undefined
      ? [
          "topics: with state after them read in the order of event time, each waiting for the others: without limit in bounded runs, 1s of the wall clock live",
        ]
      : []),
    ...(idle === undefined
      ? []
      : [
          `idle: a partition that is quiet for ${printDuration(idle)} of the wall clock no longer holds the others back`,
        ]),
  ];
}

function stateOf(exprs: readonly ExprTree[], ttl?: number): string[] {
  return splitStages(exprs).stages.map((one) => stage(one, ttl));
}

function stage({ keys, calls, kind, rows }: Stage, ttl: number | undefined): string {
  const what = calls.map(({ tree }) => print(tree)).join(", ");
  const kept = kind === "rows" ? `the last ${rows} rows` : "one row";
  const growth =
    ttl === undefined
      ? "grows with the number of keys; no horizon"
      : `a key is forgotten ${printDuration(ttl)} of event time after its last row`;
  return `state: ${kept} per key (${keys.map(print).join(", ")}) for ${what}; ${growth}`;
}

function sink({ topic, key, format, value, delete: remove }: SinkNode): string[] {
  return [
    `to ${topic} (${format})`,
    `key: ${key === undefined ? "that of the source record" : `column "${key}"`}`,
    `value: ${value === undefined ? "every column except metadata" : value.join(", ")}`,
    ...(remove === undefined ? [] : [`tombstone where ${print(remove)}`]),
  ];
}

function toTable({ name, key }: ToTableNode): string[] {
  return [
    `table ${name}`,
    key === undefined
      ? "state: every row, numbered by _row; grows with them; no horizon"
      : `state: the last row per ${key.join(", ")}; grows with their number; no horizon`,
  ];
}

function unique({ subset, within, ttl }: UniqueNode): string[] {
  const horizon = within === undefined ? "" : ` within ${printDuration(within)}`;
  const values = `one row per combination of ${subset.join(", ")}`;
  const kept = within ?? ttl;
  return [
    `unique by ${subset.join(", ")}${horizon}, the first row kept${ttl === undefined ? "" : `, forgotten ${printDuration(ttl)} after its last`}`,
    kept === undefined
      ? `state: ${values}; grows with them; no horizon (give within)`
      : `state: ${values} seen in the last ${printDuration(kept)} of event time`,
  ];
}
