import { splitStages } from "./analysis/stages.ts";
import { isMetadata } from "./metadata.ts";
import { inputsOf, nodesOf, type PlanNode } from "./nodes/plan-node.ts";
import { print } from "./print.ts";
import { colTree, type ExprTree, isTagged } from "./tree.ts";

/**
 * The keys by which a verb has its rows placed anew before it, because none of those it keeps state by says in which partition a row is; undefined
 * where rows stay where they are. Worked out by the names of columns: what a schema would show besides (patterns over several columns) is not seen.
 */
export function placedAnew(node: PlanNode): readonly ExprTree[] | undefined {
  const [input] = inputsOf(node);
  if (input === undefined || node.kind === "keyBy" || inputsOf(node).length > 1) return undefined;
  const names = placeNames(input);
  if (names === "none") return undefined;
  return keysOf(node).find((keys) => !keys.some((key) => key.kind === "col" && names.has(key.name)));
}

/** What `explain` says about it. */
export function explainPlacement(node: PlanNode): string[] {
  const keys = placedAnew(node);
  if (keys === undefined) return [];
  const by = keys.length === 0 ? "to a single partition" : `by ${keys.map(print).join(", ")}`;
  return [`placed anew: ${by} first, in the order of event time; a job sends the rows through a topic of its own`];
}

/** Whether rows of this plan are placed anew anywhere. */
export function isPlacedAnew(terminal: PlanNode): boolean {
  return nodesOf([terminal]).some((node) => node.kind === "keyBy" || placedAnew(node) !== undefined);
}

/** What a verb keeps state by: a list of keys for each state. */
function keysOf(node: PlanNode): readonly (readonly ExprTree[])[] {
  switch (node.kind) {
    case "select":
    case "withColumns":
      return splitStages(node.exprs).stages.map(({ keys }) => keys);
    case "filter":
      return splitStages([node.predicate]).stages.map(({ keys }) => keys);
    case "unique":
      return [node.subset.map(colTree)];
    case "groupBy":
    case "groupByDynamic":
    case "groupBySession":
    case "groupByCount":
    case "groupByRolling":
      return [node.by];
    default:
      return [];
  }
}

/** The columns that say in which partition a row is; `none` where rows of a single partition need not be moved. */
function placeNames(node: PlanNode): ReadonlySet<string> | "none" {
  if (node.kind === "source") return new Set(["_key", ...(node.key === undefined ? [] : [node.key])]);
  const own = node.kind === "keyBy" ? node.keys : placedAnew(node);
  if (own !== undefined) {
    if (own.length === 0) return "none";
    const names = own.flatMap((key) => (key.kind === "col" ? [key.name] : []));
    return node.kind === "keyBy" ? new Set([...names, "_key"]) : new Set(names);
  }
  const before = placeNames(inputsOf(node)[0]!);
  if (before === "none") return before;
  const kept = (keep: (name: string) => boolean) =>
    new Set([...before].filter((name) => isMetadata(name) || keep(name)));
  switch (node.kind) {
    case "rename":
      return new Set([...before].map((name) => (Object.hasOwn(node.mapping, name) ? node.mapping[name]! : name)));
    case "drop":
      return kept((name) => !node.columns.includes(name));
    case "select":
    case "withColumns": {
      const made = node.exprs.map(madeOf);
      const same = made.filter(({ from }) => from !== undefined && before.has(from)).map(({ name }) => name!);
      const others = new Set(
        made.filter(({ from }) => from === undefined || !before.has(from)).map(({ name }) => name),
      );
      const all = node.kind === "withColumns" || made.some(({ name }) => name === undefined);
      return new Set([...kept((name) => all && !others.has(name)), ...same]);
    }
    case "map":
      return kept((name) => !(name in node.schema) && (node.keep === "all" || node.keep.includes(name)));
    default:
      return before;
  }
}

/** The name of what an expression makes, and the column it is a copy of; without a name where these are several columns. */
function madeOf(tree: ExprTree): { readonly name?: string; readonly from?: string } {
  if (tree.kind === "col") return { name: tree.name, from: tree.name };
  if (tree.kind !== "call") return {};
  const self = madeOf(tree.self);
  const [name] = tree.args;
  if ((tree.fn === "alias" || tree.fn === "as") && typeof name === "string" && !isTagged(name, "$expr"))
    return { ...self, name };
  return self.name === undefined ? {} : { name: self.name };
}
