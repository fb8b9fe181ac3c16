import type { DropNode } from "./drop-node.ts";
import type { ExplodeNode } from "./explode-node.ts";
import type { FilterNode } from "./filter-node.ts";
import type { GroupByCountNode } from "./group-by-count-node.ts";
import type { GroupByDynamicNode } from "./group-by-dynamic-node.ts";
import type { GroupByNode } from "./group-by-node.ts";
import type { GroupByRollingNode } from "./group-by-rolling-node.ts";
import type { GroupBySessionNode } from "./group-by-session-node.ts";
import type { LateNode } from "./late-node.ts";
import type { MapNode } from "./map-node.ts";
import type { MeetingNode } from "./meeting-node.ts";
import type { PredictNode } from "./predict-node.ts";
import type { ProcessNode } from "./process-node.ts";
import type { RenameNode } from "./rename-node.ts";
import type { RepartitionNode } from "./repartition-node.ts";
import type { SelectNode } from "./select-node.ts";
import type { SourceNode } from "./source-node.ts";
import type { TerminalNode } from "./terminal-node.ts";
import type { UniqueNode } from "./unique-node.ts";
import type { UnnestNode } from "./unnest-node.ts";
import type { WithColumnsNode } from "./with-columns-node.ts";

/** A verb that has rows as its input. */
export type VerbNode =
  | SelectNode
  | WithColumnsNode
  | FilterNode
  | RenameNode
  | DropNode
  | ExplodeNode
  | GroupByNode
  | LateNode
  | MapNode
  | PredictNode
  | ProcessNode
  | UniqueNode
  | UnnestNode
  | RepartitionNode
  | MeetingNode
  | GroupByDynamicNode
  | GroupBySessionNode
  | GroupByCountNode
  | GroupByRollingNode
  | TerminalNode;

/** A plan: frozen data, from a terminal (a sink or a view) inward to its sources. */
export type PlanNode = SourceNode | VerbNode;

/** Fields of a node that hold the plans its rows come from, in the order of {@link inputsOf}. */
export const INPUTS: readonly string[] = ["input", "other", "others"];

/** Where the rows of a node come from: nothing for a source, `input` for a verb, and the other side or sides of a join or concat after it. */
export function inputsOf(node: PlanNode): readonly PlanNode[] {
  const fields = node as unknown as Readonly<Record<string, PlanNode | readonly PlanNode[] | undefined>>;
  return INPUTS.flatMap((name) => fields[name] ?? []);
}

/** The node with its inputs replaced by what is made of them. */
export function withInputs(node: PlanNode, make: (input: PlanNode) => PlanNode): PlanNode {
  const entries = Object.entries(node).map(([name, value]) => {
    if (!INPUTS.includes(name) || value === undefined) return [name, value];
    return [name, Array.isArray(value) ? Object.freeze(value.map(make)) : make(value as PlanNode)];
  });
  return Object.freeze(Object.fromEntries(entries)) as PlanNode;
}

/** The nodes of these plans, each once, inputs before the nodes that use them. */
export function nodesOf(terminals: readonly PlanNode[]): PlanNode[] {
  const seen = new Set<PlanNode>();
  const visit = (node: PlanNode): void => {
    if (seen.has(node)) return;
    inputsOf(node).forEach(visit);
    seen.add(node);
  };
  terminals.forEach(visit);
  return [...seen];
}

/** The sources these plans read, each once. */
export function sourcesOf(terminals: readonly PlanNode[]): SourceNode[] {
  return nodesOf(terminals).filter((node) => node.kind === "source");
}
