import { Refusal } from "../../error.ts";
import type { PlanNode } from "../nodes/plan-node.ts";
import { sourcesOf } from "../nodes/plan-node.ts";
import { print } from "../print.ts";
import { argTree, type CallTree, childrenOf, type ExprTree, someTree } from "../tree.ts";
import { meaningOf } from "./meaning-of.ts";
import { isFirstOfKey } from "./stages.ts";
import { needsWholeWindow } from "./within-window.ts";

/** The verb an expression is written in, and the frame it is called on. */
export interface Place {
  readonly verb: string;
  readonly input: PlanNode;
}

/**
 * Checks that expressions have an exact meaning row by row or per key on a stream: as far as that shows without a schema.
 * @throws Refusal `NO_EXACT_STREAMING_MEANING`, `FOREIGN_EXPRESSION`
 */
export function checkRowExprs(exprs: readonly ExprTree[], place: Place): void {
  for (const expr of exprs) checkRow(expr, place, "top");
  if (place.verb === "select" && exprs.length > 0 && exprs.every(isScalar))
    throw refusal(exprs[0]!, place, "these are single values, and a stream has no single row to put them in", [
      "select a column beside them",
    ]);
}

/** Checks a predicate. @throws Refusal `NO_EXACT_STREAMING_MEANING` */
export function checkFilter(predicate: ExprTree, place: Place): void {
  checkRow(predicate, place, "top");
}

/** Checks aggregates of windows or groups. @throws Refusal `NO_EXACT_STREAMING_MEANING` */
export function checkAggs(exprs: readonly ExprTree[], place: Place): void {
  for (const expr of exprs) checkAgg(expr, place);
}

/** The name of the record key, for remedies. */
export function keyName(input: PlanNode): string {
  return sourcesOf([input]).find((source) => source.key !== undefined)?.key ?? "key";
}

/** One value, however many rows there are: no column in it. */
export function isScalar(tree: ExprTree): boolean {
  return !someTree(
    tree,
    (part) => part.kind === "col" || (part.kind === "function" && meaningOf(part).is === "columns"),
  );
}

/** One value for each key, however many rows it has: no column but in a `first()`. */
function isOnePerKey(tree: ExprTree): boolean {
  if (isFirstOfKey(tree)) return true;
  const within = tree.kind === "call" && tree.fn === "list.eval";
  const children = within ? [tree.self] : childrenOf(tree);
  return children.length > 0 ? children.every(isOnePerKey) : isScalar(tree);
}

function checkRow(tree: ExprTree, place: Place, inside: "top" | "over"): void {
  const meaning = meaningOf(tree);
  const call = tree as CallTree;
  switch (meaning.is) {
    case "refused":
      throw refusalOf(tree, place, meaning.why, meaning.instead?.(call, keyName(place.input)));
    case "aggregate":
    case "collected":
      if (inside === "over" && isFirstOfKey(tree)) {
        if (isScalar(call.self))
          throw refusal(tree, place, "it has one value and no rows to go along", ["apply it to a column"]);
        break;
      }
      if (inside === "over")
        throw refusal(tree, place, "over all rows of a key it needs rows that have not arrived yet", [
          ...soFar(call),
          "use an accumulating expression (cumSum, cumMax, cumCount, …) or a look-back (rollingMean, …) over the key",
          `or a window: groupByDynamic({ …, by: "${keyName(place.input)}" }).agg(${print(tree)})`,
        ]);
      throw refusal(tree, place, "it needs the whole column, and a stream has no end", [
        `a window: groupByDynamic({ indexColumn: …, every: "1s", by: "${keyName(place.input)}" }).agg(${print(tree)})`,
      ]);
    case "narrowing":
      throw refusal(tree, place, "it leaves values out, so its rows no longer belong to records", [
        `the verb on the frame: .filter(…)`,
      ]);
    case "look-back":
    case "accumulating":
      if (inside === "top")
        throw refusal(
          tree,
          place,
          "the rows before it are those of other keys, in an order that depends on how records arrive",
          [`${print(tree)}.over("${keyName(place.input)}")`],
        );
      if (isScalar(call.self))
        throw refusal(tree, place, "it has one value and no rows to go along", ["apply it to a column"]);
      if (isOnePerKey(call.self))
        throw refusal(tree, place, `${print(call.self)} is one value for a key and has no rows to go along`, [
          `compute that in a withColumns before, which gives each row the value: ${print(call.self)}.over("${keyName(place.input)}")`,
        ]);
      break;
    case "per key":
      checkOver(call, place, inside);
      return;
    case "no expression":
      throw refusal(tree, place, "it is not an expression");
  }
  if (tree.kind === "lit") checkLiteral(tree, place);
  if (tree.kind === "call" && tree.fn === "list.eval") {
    checkRow(tree.self, place, inside);
    for (const arg of tree.args) {
      const item = argTree(arg);
      if (item !== undefined) checkWithinList(item, place);
    }
    return;
  }
  for (const child of childrenOf(tree)) checkRow(child, place, inside);
}

/** What an aggregate over a key is so far, up to each row. */
const SO_FAR: Readonly<Record<string, string>> = {
  max: "cumMax",
  min: "cumMin",
  sum: "cumSum",
  count: "cumCount",
  product: "cumProd",
  last: "forwardFill",
};

function soFar({ fn, self }: CallTree): string[] {
  return SO_FAR[fn] === undefined ? [] : [`that of the rows so far: ${print(self)}.${SO_FAR[fn]}()`];
}

function checkOver(tree: CallTree, place: Place, inside: "top" | "over"): void {
  if (inside === "over")
    throw refusal(tree, place, "Polars computes no keys inside keys", ["put the inner one in a withColumns before"]);
  if (tree.args.length === 0) throw refusal(tree, place, "it names no key", [`.over("${keyName(place.input)}")`]);
  for (const key of childrenOf(tree).slice(1)) checkRow(key, place, "top");
  checkRow(tree.self, place, "over");
}

function checkLiteral(tree: ExprTree & { kind: "lit" }, place: Place): void {
  const value = tree.value;
  if (value === null || typeof value !== "object") return;
  const items = Array.isArray(value) ? value : (value as any).$series?.[2];
  if (items !== undefined && items.length !== 1)
    throw refusal(tree, place, "it is a column of its own, whose rows belong to no record", [
      "a single value: pl.lit(1)",
    ]);
}

/** Inside `list.eval` everything happens within one row, so only what cannot be repeated is refused. */
function checkWithinList(tree: ExprTree, place: Place): void {
  if (tree.kind === "call" && ["sample", "shuffle", "hash"].includes(tree.fn))
    throw refusalOf(tree, place, (meaningOf(tree) as { why: string }).why);
  if (tree.kind === "foreign") throw refusalOf(tree, place, (meaningOf(tree) as { why: string }).why);
  for (const child of childrenOf(tree)) checkWithinList(child, place);
}

/**
 * In an aggregate: whatever depends on the rows of one window (or group) and their order only. A window has them all when it closes, so that
 * `sort`, `rank` or `diff` within it are exact, as are values that are themselves compared with an aggregate.
 */
function checkAgg(tree: ExprTree, place: Place): void {
  const meaning = meaningOf(tree);
  if (tree.kind === "call" && tree.fn === "list.eval") {
    checkAgg(tree.self, place);
    for (const child of childrenOf(tree).slice(1)) checkWithinList(child, place);
    return;
  }
  if (!needsWholeWindow(tree)) {
    switch (meaning.is) {
      case "refused":
        throw refusalOf(tree, place, meaning.why, meaning.instead?.(tree as CallTree, keyName(place.input)));
      case "per key":
        throw refusal(tree, place, "it groups the rows of a window again, by other keys", [
          "compute it in a withColumns before, and aggregate that column",
          "or give the windows more keys: by: [...]",
        ]);
      case "no expression":
        throw refusal(tree, place, "it is not an expression");
    }
  }
  if (tree.kind === "lit") checkLiteral(tree, place);
  for (const child of childrenOf(tree)) checkAgg(child, place);
}

function refusalOf(tree: ExprTree, place: Place, why: string, instead?: string): Refusal {
  if (tree.kind === "foreign")
    return new Refusal({
      code: "FOREIGN_EXPRESSION",
      what: `${tree.text} ${why}`,
      where: place.verb,
      remedies: ['import { pl } from "millrace" instead of importing nodejs-polars'],
    });
  return refusal(tree, place, why, instead === undefined ? undefined : [instead]);
}

function refusal(tree: ExprTree, place: Place, why: string, remedies: readonly string[] = []): Refusal {
  return new Refusal({
    code: "NO_EXACT_STREAMING_MEANING",
    what: `${print(tree)} has no exact meaning on a stream: ${why}`,
    where: place.verb,
    remedies,
  });
}
