import { type CallTree, colTree, type ExprTree, mapArgs, mapChildren } from "../tree.ts";
import { meaningOf } from "./meaning-of.ts";

/** A call that keeps state per key, taken out of its expression and computed as a column of its own. */
export interface StatefulCall {
  /** The column that stands for it from then on. */
  readonly column: string;
  /** The call; its `self` is what it is applied to, in terms of the columns of earlier stages. */
  readonly tree: CallTree;
  /** Rows it looks back, or undefined where it accumulates. */
  readonly rows: number | undefined;
}

/** Stateful calls with the same keys that can be computed together. */
export interface Stage {
  readonly keys: readonly ExprTree[];
  /** `last`: the state is one row per key. `rows`: it is the last `rows` rows per key. */
  readonly kind: "last" | "rows";
  /** Rows to look back, at most. */
  readonly rows: number;
  readonly calls: readonly StatefulCall[];
}

export interface Split {
  /** In the order in which they are computed. */
  readonly stages: readonly Stage[];
  /** What is left: row by row, over the input's columns and those of the stages. */
  readonly exprs: readonly ExprTree[];
}

/** Splits expressions at their stateful calls. They must have been checked. */
export function splitStages(exprs: readonly ExprTree[]): Split {
  const stages = new Map<string, { depth: number; stage: Stage & { calls: StatefulCall[]; rows: number } }>();
  const columns = new Map<string, string>();

  const hoist = (tree: ExprTree, keys: readonly ExprTree[]): { tree: ExprTree; depth: number } => {
    if (tree.kind === "call" && tree.fn === "over") {
      const inner: ExprTree[] = [];
      let depth = 0;
      mapArgs(tree.args, (key) => {
        const part = hoist(key, []);
        inner.push(part.tree);
        depth = Math.max(depth, part.depth);
        return key;
      });
      const self = hoist(tree.self, inner);
      return { tree: self.tree, depth: Math.max(self.depth, depth) };
    }
    const rows = rowsOf(tree);
    if (rows === undefined) {
      let depth = 0;
      const mapped: ExprTree = mapChildren(tree, (child) => {
        const part = hoist(child, keys);
        depth = Math.max(depth, part.depth);
        return part.tree;
      });
      return { tree: mapped, depth };
    }
    const call = tree as CallTree;
    const self = hoist(call.self, keys);
    const depth = self.depth + 1;
    const hoisted = { ...call, self: self.tree };
    const kind = rows !== "accumulating" && rows > 1 ? "rows" : "last";
    const stageKey = JSON.stringify([depth, kind, keys]);
    let entry = stages.get(stageKey);
    if (entry === undefined) {
      entry = { depth, stage: { keys, kind, rows: 0, calls: [] } };
      stages.set(stageKey, entry);
    }
    const callKey = JSON.stringify([stageKey, hoisted]);
    let column = columns.get(callKey);
    if (column === undefined) {
      column = `§state_${columns.size}`;
      columns.set(callKey, column);
      entry.stage.calls.push({ column, tree: hoisted, rows: rows === "accumulating" ? undefined : rows });
      if (rows !== "accumulating") entry.stage.rows = Math.max(entry.stage.rows, rows);
    }
    return { tree: colTree(column), depth };
  };

  const rest = exprs.map((expr) => hoist(expr, []).tree);
  const ordered = [...stages.values()].sort((a, b) => a.depth - b.depth).map(({ stage }) => stage);
  return { stages: ordered, exprs: rest };
}

/** How far a stateful call looks back; undefined for what needs no state. */
function rowsOf(tree: ExprTree): number | "accumulating" | undefined {
  const meaning = meaningOf(tree);
  if (meaning.is === "accumulating" || isFirstOfKey(tree)) return "accumulating";
  if (meaning.is !== "look-back") return undefined;
  return meaning.rows === 0 ? undefined : meaning.rows;
}

/** The first value of a key: the one aggregate over a key that later rows do not change. */
export function isFirstOfKey(tree: ExprTree): boolean {
  return tree.kind === "call" && tree.fn === "first" && tree.args.length === 0;
}
