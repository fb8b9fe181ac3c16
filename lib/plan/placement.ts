import { joinKeys, keysOf } from "./keys-of.ts";
import { isMetadata } from "./metadata.ts";
import { inputsOf, type PlanNode } from "./nodes/plan-node.ts";
import { print } from "./print.ts";
import { isForeign } from "./table-keys.ts";
import { colTree, type ExprTree, isTagged, withoutAlias } from "./tree.ts";

/**
 * What says in which partition rows are: the columns that hold it, for each of the values that place them. Worked out by the names of columns: what
 * a schema would show besides (patterns over several columns) is not seen.
 */
interface Placement {
  readonly parts: readonly ReadonlySet<string>[];
  /** All rows are in one partition. */
  readonly single?: boolean;
}

/**
 * The keys by which each input of a node has its rows placed anew before it, because none of those it keeps state or meets others by says in which
 * partition a row is; undefined for inputs whose rows stay where they are. What is refused when it is compiled stays.
 */
export function placedAnew(node: PlanNode): readonly (readonly ExprTree[] | undefined)[] {
  const inputs = inputsOf(node);
  const stay = inputs.map(() => undefined);
  if (node.kind === "keyBy") return stay;
  if (inputs.length > 1) return placedSides(node, inputs.map(placementOf)) ?? stay;
  return inputs.map((input) => {
    const [before, all] = [placementOf(input), keysOf(node)];
    if (all.every((keys) => together(keys, before))) return undefined;
    const [first = [], ...rest] = all;
    const common = first.filter((key) => rest.every((keys) => keys.some((other) => nameOf(other) === nameOf(key))));
    return common.length === 0 && first.length > 0 ? undefined : common;
  });
}

/** Those of a join: where one side is placed by one of its keys, the other one is placed by the same. */
function placedSides(node: PlanNode, [left, right]: readonly Placement[]) {
  const pairs = joinKeys(node);
  if (pairs === undefined || left === undefined || right === undefined) return undefined;
  if (node.kind === "joinTables" && isForeign(node)) return [undefined, []];
  const keys = [pairs.left.map(colTree), pairs.right.map(colTree)] as const;
  const by = (placement: Placement, side: readonly ExprTree[]): number =>
    placement.parts.length > 1 ? -1 : side.findIndex((key) => together([key], placement));
  const [l, r] = [by(left, keys[0]), by(right, keys[1])];
  if ((left.single && right.single) || (l >= 0 && l === r)) return undefined;
  if (l >= 0) return [undefined, [keys[1][l]!]];
  if (r >= 0) return [[keys[0][r]!], undefined];
  return [keys[0].slice(0, 1), keys[1].slice(0, 1)];
}

/** Whether rows with equal keys are in the same partition. */
function together(keys: readonly ExprTree[], { parts, single = false }: Placement): boolean {
  const names = keys.map(nameOf);
  return single || parts.every((part) => names.some((name) => part.has(name)));
}

/** How the rows of a node are placed. */
function placementOf(node: PlanNode): Placement {
  if (node.kind === "source") return { parts: [new Set(["_key", ...(node.key === undefined ? [] : [node.key])])] };
  if (node.kind === "keyBy") return placedBy(node.keys, node.named);
  const anew = placedAnew(node);
  const inputs = inputsOf(node).map((input, i) => {
    const keys = anew[i];
    return keys === undefined ? placementOf(input) : placedBy(keys, false);
  });
  return node.kind === "concat" ? shared(inputs) : after(node, inputs);
}

function placedBy(keys: readonly ExprTree[], named: boolean): Placement {
  const parts = keys.map((key) => new Set([nameOf(key)]));
  if (named && parts.length === 1) parts[0]!.add("_key");
  return parts.length === 0 ? { parts: [new Set()], single: true } : { parts };
}

/** That of rows of several frames together. */
function shared(inputs: readonly Placement[]): Placement {
  const alike = inputs.every(({ parts }) => parts.length === 1);
  const [first, ...others] = inputs.map(({ parts }) => parts[0]!);
  const both = alike ? [...first!].filter((name) => others.every((other) => other.has(name))) : [];
  return { parts: [new Set(both)], single: inputs.every(({ single }) => single === true) };
}

/** What columns still hold after a verb. */
function after(node: PlanNode, inputs: readonly Placement[]): Placement {
  const before = node.kind === "join" && node.how === "right" ? inputs[1]! : inputs[0]!;
  const each = (names: (part: ReadonlySet<string>) => Iterable<string>): Placement => ({
    ...before,
    parts: before.parts.map((part) => new Set(names(part))),
  });
  const kept = (keep: (name: string) => boolean) =>
    each((part) => [...part].filter((name) => isMetadata(name) || (keep(name) && !name.startsWith(COMPUTED))));
  switch (node.kind) {
    case "rename":
      return each((part) => [...part].map((name) => (Object.hasOwn(node.mapping, name) ? node.mapping[name]! : name)));
    case "drop":
      return kept((name) => !node.columns.includes(name));
    case "explode":
      return kept((name) => name !== node.column && !node.more?.includes(name));
    case "predict":
      return kept((name) => !(name in node.schema));
    case "map":
      return kept((name) => !(name in node.schema) && (node.keep === "all" || node.keep.includes(name)));
    case "select":
    case "withColumns": {
      const made = node.exprs.map(madeOf);
      const names = new Set(made.map(({ name }) => name));
      // without a name it is several columns, as they are
      const all = node.kind === "withColumns" || made.some(({ name }) => name === undefined);
      const { parts } = kept((name) => all && !names.has(name));
      const copies = before.parts.map((part) =>
        made.filter(({ from }) => from !== undefined && part.has(from)).map(({ name }) => name!),
      );
      return { ...before, parts: parts.map((part, i) => new Set([...part, ...copies[i]!])) };
    }
    case "process":
    case "groupBy":
    case "groupByDynamic":
    case "groupBySession":
    case "groupByCount":
    case "groupByRolling": {
      const by = node.by.map((key) => ({ held: nameOf(key), name: madeOf(key).name ?? nameOf(key) }));
      return each((part) => [
        ...[...part].filter((name) => name === "_key"),
        ...by.filter(({ held }) => part.has(held)).map(({ name }) => name),
      ]);
    }
    case "join":
      // without a partner the other side's columns are null, and so may those be that both have by one name
      return node.how === "full" && !node.coalesce ? kept((name) => isMetadata(name)) : before;
    default:
      return before;
  }
}

const COMPUTED = "\u00a7";

/** The column that a key is, or for a computed one its text. */
function nameOf(key: ExprTree): string {
  return madeOf(key).from ?? `${COMPUTED}${print(withoutAlias(key))}`;
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
