import polars from "nodejs-polars";
import { dtypeName } from "../schema.ts";
import { COLUMN_ARGUMENTS } from "./column-arguments.ts";
import { foreignTree } from "./foreign.ts";
import { type Arg, colTree, type ExprTree } from "./tree.ts";

const TREE = Symbol("millrace.tree");
const NAMESPACES: Readonly<Record<string, string>> = {
  str: "str",
  dt: "dt",
  list: "list",
  lst: "list",
  struct: "struct",
};
/** What an Expr has that gives no Expr. */
const PLAIN = new Set(["_expr", "serialize", "toString", "toJSON", "inner"]);

/** The tree of calls that made an expression; one that was not recorded is read from its serialisation, or `foreign`. */
export function treeOf(expr: polars.Expr): ExprTree {
  return (expr as any)[TREE] ?? foreignTree(expr);
}

/** The expression behind a recorded one, as nodejs-polars made it. */
export function recorded(expr: polars.Expr, tree: ExprTree): polars.Expr {
  return new Proxy(expr, {
    get(target, property) {
      if (property === TREE) return tree;
      const value = Reflect.get(target, property);
      if (typeof property === "symbol" || PLAIN.has(property)) return value;
      const namespace = NAMESPACES[property];
      if (namespace !== undefined) return recordedNamespace(value, namespace, tree);
      return typeof value === "function" ? recordedMethod(target, value, property, tree) : value;
    },
  });
}

function recordedNamespace(namespace: object, name: string, self: ExprTree): unknown {
  return new Proxy(namespace, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (typeof property === "symbol" || typeof value !== "function") return value;
      return recordedMethod(target, value, `${name}.${property}`, self);
    },
  });
}

function recordedMethod(target: object, method: Function, fn: string, self: ExprTree) {
  return (...args: unknown[]): unknown => {
    const result = method.apply(target, args);
    if (!polars.Expr.isExpr(result)) return result;
    return recorded(result, { kind: "call", fn, self, args: recordArgs(fn, args) });
  };
}

/** Arguments as they were written; a string in a place where Polars takes the name of a column becomes that column. */
export function recordArgs(fn: string, args: readonly unknown[]): Arg[] {
  const columns = COLUMN_ARGUMENTS[fn];
  const recordedArgs = args.map((arg, i) => recordArg(arg, columns === "all" || (columns?.includes(i) ?? false)));
  while (recordedArgs.length > 0 && isUndefined(recordedArgs.at(-1)!)) recordedArgs.pop();
  return recordedArgs;
}

function isUndefined(arg: Arg): boolean {
  return arg !== null && typeof arg === "object" && "$undefined" in arg;
}

function recordArg(value: unknown, stringIsColumn: boolean): Arg {
  if (typeof value === "string") return stringIsColumn ? { $expr: colTree(value) } : value;
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (value === undefined) return { $undefined: true };
  if (typeof value === "function") {
    return (polars as any)[value.name] === value ? { $dtypeFunction: value.name } : { $opaque: value.toString() };
  }
  if (typeof value !== "object") return { $opaque: String(value) };
  if (polars.Expr.isExpr(value)) return { $expr: treeOf(value as polars.Expr) };
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof RegExp) return { $regex: [value.source, value.flags] };
  if (value instanceof polars.DataType) return { $dtype: dtypeName(value) };
  if (polars.Series.isSeries(value)) {
    const series = value as polars.Series;
    return { $series: [series.name, dtypeName(series.dtype), series.toArray().map((item) => recordArg(item, false))] };
  }
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, (item) => recordArg(item, false));
  if (Array.isArray(value)) return value.map((item) => recordArg(item, stringIsColumn));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, recordArg(item, stringIsColumn && key === "exprs")]),
  );
}
