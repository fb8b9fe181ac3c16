import type polars from "nodejs-polars";
import { replay } from "./replay.ts";
import { type Arg, callTree, colTree, type ExprTree } from "./tree.ts";

type Json = any;

/**
 * The tree of an expression that was not built with the recorded `pl`, read from Polars' own serialisation. It is taken only if the expression
 * made of the tree serialises to the same bytes again, so that it means exactly the same; everything else stays foreign and is refused.
 */
export function foreignTree(expr: polars.Expr): ExprTree {
  const foreign: ExprTree = { kind: "foreign", text: String(expr) };
  try {
    const json = expr.serialize("json").toString();
    const tree = treeOfJson(JSON.parse(json));
    if (tree === undefined) return foreign;
    return replay(tree).serialize("json").toString() === json ? tree : foreign;
  } catch {
    return foreign;
  }
}

const BINARY: Readonly<Record<string, string>> = {
  Plus: "plus",
  Minus: "minus",
  Multiply: "multiplyBy",
  RustDivide: "divideBy",
  Modulus: "modulo",
  Eq: "eq",
  NotEq: "neq",
  Gt: "gt",
  GtEq: "gtEq",
  Lt: "lt",
  LtEq: "ltEq",
  And: "and",
  Or: "or",
};

/** Undefined for what has no place here. */
function treeOfJson(json: Json): ExprTree | undefined {
  if (json === "Len") return { kind: "function", fn: "len", args: [] };
  if (json === null || typeof json !== "object") return undefined;
  const [kind] = Object.keys(json);
  const value = json[kind!];
  switch (kind) {
    case "Column":
      return colTree(value);
    case "Literal":
      return literal(value);
    case "Selector":
      return value === "Wildcard" ? { kind: "function", fn: "all", args: [] } : undefined;
    case "BinaryExpr":
      return BINARY[value.op] === undefined ? undefined : call(BINARY[value.op]!, [value.left, value.right]);
    case "Alias":
      return call("alias", [value[0]], value[1]);
    case "RenameAlias": {
      const [fn] = Object.keys(value.function);
      return call(fn!.toLowerCase(), [value.expr], value.function[fn!]);
    }
    case "Cast": {
      const dtype = dtypeOfJson(value.dtype.Literal);
      return dtype === undefined
        ? undefined
        : call("cast", [value.expr], { $dtype: dtype }, ...(value.options === "Strict" ? [true] : []));
    }
    case "Ternary": {
      const [condition, truthy, falsy] = [value.predicate, value.truthy, value.falsy].map(treeOfJson);
      if (condition === undefined || truthy === undefined || falsy === undefined) return undefined;
      return { kind: "when", branches: [{ condition, value: truthy }], otherwise: falsy };
    }
    case "Filter":
      return call("filter", [value.input, value.by]);
    case "Over":
      return value.order_by === null ? call("over", [value.function, ...value.partition_by]) : undefined;
    case "Agg":
      return aggregate(value);
    case "Function":
      return method(value.function, value.input);
    default:
      return undefined;
  }
}

function call(fn: string, exprs: readonly Json[], ...args: readonly Arg[]): ExprTree | undefined {
  const [self, ...others] = exprs.map(treeOfJson);
  if (self === undefined || others.includes(undefined)) return undefined;
  return callTree(fn, self, ...others.map((tree): Arg => ({ $expr: tree! })), ...args);
}

function literal(value: Json): ExprTree | undefined {
  const scalar = value.Scalar;
  if (scalar === null || typeof scalar !== "object") return undefined;
  const [dtype] = Object.keys(scalar);
  const held = scalar[dtype!];
  switch (dtype) {
    case "Float64":
    case "String":
    case "Boolean":
      return { kind: "lit", value: held };
    case "Null":
      return { kind: "lit", value: null };
    case "Datetime":
      return held[1] === "Milliseconds" && held[2] === null ? { kind: "lit", value: { $date: held[0] } } : undefined;
    default:
      return undefined;
  }
}

function aggregate(value: Json): ExprTree | undefined {
  const [name] = Object.keys(value);
  const held = value[name!];
  const fn = camel(name!);
  if (Array.isArray(held)) return held[1] === 1 ? call(fn, [held[0]]) : undefined;
  return call(fn, [held.input ?? held]);
}

/** Functions over columns: by name, or by name and options. The check that it serialises alike catches what differs. */
function method(fn: Json, input: readonly Json[]): ExprTree | undefined {
  const [self, ...others] = input;
  if (typeof fn === "string")
    return fn === "Shift" ? call("shift", [self], others[0]?.Literal?.Scalar?.Float64) : call(camel(fn), input);
  const [name] = Object.keys(fn);
  const options = fn[name!];
  switch (name) {
    case "Boolean":
      return call(camel(options), input);
    case "TemporalExpr":
      return typeof options === "string" ? call(`dt.${camel(options)}`, input) : undefined;
    case "StringExpr": {
      const inner = typeof options === "string" ? options : Object.keys(options)[0]!;
      const texts = others.map((other) => other?.Literal?.Scalar?.String);
      return texts.every((text) => typeof text === "string")
        ? call(`str.${camel(inner)}`, [self], ...texts)
        : undefined;
    }
    case "Diff":
      return call("diff", [self], others[0]?.Literal?.Scalar?.Float64, options.toLowerCase());
    case "Round":
      return call("round", [self], options.decimals);
    case "Pow":
      return call("pow", [self], others[0]?.Literal?.Dyn?.Float);
    case "CumSum":
    case "CumMax":
    case "CumMin":
    case "CumProd":
    case "CumCount":
      return options.reverse === false ? call(camel(name), [self]) : undefined;
    case "RollingExpr":
      return call(`rolling${options.function}`, [self], {
        windowSize: options.options.window_size,
        minPeriods: options.options.min_periods,
      });
    default:
      return undefined;
  }
}

const UNITS: Readonly<Record<string, string>> = { Milliseconds: "ms", Microseconds: "us", Nanoseconds: "ns" };

function dtypeOfJson(dtype: Json): string | undefined {
  if (typeof dtype === "string") return dtype === "String" ? "Utf8" : dtype;
  const datetime = dtype?.Datetime;
  return datetime?.[1] === null && UNITS[datetime[0]] !== undefined ? `Datetime(${UNITS[datetime[0]]})` : undefined;
}

const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
