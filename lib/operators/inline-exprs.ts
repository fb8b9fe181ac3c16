import pl from "nodejs-polars";
import { type Arg, argTree, type CallTree, type ExprTree, withoutAlias } from "../plan/tree.ts";
import type { Schema } from "../schema.ts";

/** An expression over rows, computed by the kernels of Polars themselves and not by a query, which is a wait for Polars' thread. */
export interface InlineExpr {
  readonly dtype: string;
  of(rows: pl.DataFrame): pl.Series;
}

type Binary = (left: pl.Series, right: pl.Series) => pl.Series;

const ARITHMETIC: Readonly<Record<string, Binary>> = {
  ...named("plus add", (left, right) => left.plus(right)),
  ...named("minus sub", (left, right) => left.minus(right)),
  ...named("multiplyBy mul", (left, right) => left.multiplyBy(right)),
  ...named("divideBy div", (left, right) => left.divideBy(right)),
};

const COMPARISONS: Readonly<Record<string, Binary>> = {
  ...named("eq equals", (left, right) => left.eq(right)),
  ...named("neq notEquals", (left, right) => left.neq(right)),
  ...named("gt greaterThan", (left, right) => left.gt(right)),
  ...named("gtEq greaterThanEquals", (left, right) => left.gtEq(right)),
  ...named("lt lessThan", (left, right) => left.lt(right)),
  ...named("ltEq lessThanEquals", (left, right) => left.ltEq(right)),
};

const LOGIC: Readonly<Record<string, Binary>> = {
  and: (left, right) => left.bitand(right),
  or: (left, right) => left.bitor(right),
};

/**
 * An expression that needs no query: columns, arithmetic and comparisons of one dtype with itself or a number that it holds, and what follows from
 * those. Whatever Polars' planner would convert is left to it. Equal to the query's result, value by value (`operators/inline-exprs`).
 * @param schema dtypes of the rows' columns
 * @returns nothing where it needs a query
 */
export function inlined(tree: ExprTree, schema: Schema): InlineExpr | undefined {
  const bare = withoutAlias(tree);
  if (bare.kind === "col") return column(bare.name, schema);
  if (bare.kind !== "call") return undefined;
  return bare.args.length === 0 ? unary(bare, schema) : binary(bare, schema);
}

function column(name: string, schema: Schema): InlineExpr | undefined {
  const dtype = schema[name];
  return dtype === undefined ? undefined : { dtype, of: (rows) => rows.getColumn(name) };
}

function unary({ fn, self }: CallTree, schema: Schema): InlineExpr | undefined {
  const value = inlined(self, schema);
  if (value === undefined) return undefined;
  const { dtype, of } = value;
  if (fn === "abs" && dtype === "Float64") return { dtype, of: (rows) => of(rows).abs() as pl.Series };
  if (fn === "not" && dtype === "Boolean") return { dtype, of: (rows) => of(rows).not() as pl.Series };
  if (fn === "isNull") return { dtype: "Boolean", of: (rows) => of(rows).isNull() };
  if (fn === "isNotNull") return { dtype: "Boolean", of: (rows) => of(rows).isNotNull() };
  return undefined;
}

function binary({ fn, self, args }: CallTree, schema: Schema): InlineExpr | undefined {
  if (args.length !== 1) return undefined;
  const given = argTree(args[0]) ?? ({ kind: "lit", value: args[0]! } as const);
  const left = inlined(self, schema);
  const right = inlined(given, schema);
  const dtype = left?.dtype ?? right?.dtype;
  if (dtype === undefined) return undefined;
  const compute = operation(fn, dtype);
  const first = left ?? literal(self, dtype);
  const second = right ?? literal(given, dtype);
  if (compute === undefined || first?.dtype !== dtype || second?.dtype !== dtype) return undefined;
  return {
    dtype: Object.hasOwn(ARITHMETIC, fn) ? dtype : "Boolean",
    of: (rows) => compute(first.of(rows), second.of(rows)),
  };
}

/** What a method does with two columns of a dtype. */
function operation(fn: string, dtype: string): Binary | undefined {
  const [own, dtypes] = Object.hasOwn(ARITHMETIC, fn)
    ? [ARITHMETIC, ["Float64"]]
    : Object.hasOwn(COMPARISONS, fn)
      ? [COMPARISONS, ["Float64", "Int64", "Utf8"]]
      : [LOGIC, ["Boolean"]];
  return dtypes.includes(dtype) && Object.hasOwn(own, fn) ? own[fn] : undefined;
}

/** A number or text that is written in the expression, as one row of the dtype that it meets. */
function literal(tree: ExprTree, dtype: string): InlineExpr | undefined {
  if (tree.kind !== "lit") return undefined;
  const series = literalSeries(tree.value, dtype);
  return series && { dtype, of: () => series };
}

function literalSeries(value: Arg, dtype: string): pl.Series | undefined {
  if (dtype === "Utf8") return typeof value === "string" ? pl.Series("", [value], pl.Utf8) : undefined;
  if (typeof value !== "number") return undefined;
  if (dtype === "Float64") return pl.Series("", Float64Array.of(value));
  return dtype === "Int64" && Number.isSafeInteger(value) ? pl.Series("", BigInt64Array.of(BigInt(value))) : undefined;
}

function named(names: string, compute: Binary): Record<string, Binary> {
  return Object.fromEntries(names.split(" ").map((name) => [name, compute]));
}
