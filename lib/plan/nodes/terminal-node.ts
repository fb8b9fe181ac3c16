import type { PlanNode } from "./plan-node.ts";
import type { SinkNode } from "./sink-node.ts";
import type { ToParquetNode } from "./to-parquet-node.ts";
import type { ToTableNode } from "./to-table-node.ts";

/** What takes rows out of a program: what a job runs. */
export type TerminalNode = SinkNode | ToTableNode | ToParquetNode;

export const isTerminal = (node: PlanNode): node is TerminalNode =>
  node.kind === "sink" || node.kind === "toTable" || node.kind === "toParquet";

/** A sink's is its own; those of others have a space, which no sink's has. Names of files all the same. */
export const terminalId = (node: TerminalNode): string => (node.kind === "sink" ? node.id : outputName(node));

/** Where the rows go: the topic of a sink (which it may share with others), else what no other terminal has. */
export function outputName(node: TerminalNode): string {
  switch (node.kind) {
    case "sink":
      return node.topic;
    case "toTable":
      return `table ${node.name}`;
    case "toParquet":
      return `parquet ${encodeURIComponent(node.folder)}`;
  }
}
