import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";
import { isWrapper } from "./changeable.ts";
import { flowOf, isDestructuringTarget, isTarget, type Mutation, type Sharing } from "./value-flow.ts";

/** What one mention of a name does to the value behind it. */
export type Use =
  | { readonly kind: "type" }
  /** The name itself gets another value: assignment, `++`. */
  | { readonly kind: "write" }
  /** The value is read; it may be changed in place, and known by further names. */
  | { readonly kind: "read"; readonly mutations: readonly Mutation[]; readonly sharings: readonly Sharing[] };

/** Classifies one identifier that refers to a declaration elsewhere. */
export function useOf(identifier: ts.Identifier, cells: CellProgram): Use {
  if (isTypePosition(identifier)) return { kind: "type" };
  let name: ts.Expression = identifier;
  while (isWrapper(name.parent)) name = name.parent;
  if (isTarget(name)) return { kind: "write" };
  const { parent } = identifier;
  if (ts.isShorthandPropertyAssignment(parent) && isDestructuringTarget(parent.parent)) return { kind: "write" };
  return { kind: "read", ...flowOf(identifier, cells) };
}

function isTypePosition(node: ts.Node): boolean {
  for (let at: ts.Node = node; at !== undefined && !ts.isStatement(at); at = at.parent) {
    if (ts.isTypeNode(at) && !(ts.isExpressionWithTypeArguments(at) && isExtendsOfClass(at))) return true;
    if (ts.isExpression(at) && at !== node && !ts.isExpressionWithTypeArguments(at)) return false;
  }
  return false;
}

const isExtendsOfClass = (node: ts.ExpressionWithTypeArguments) =>
  ts.isHeritageClause(node.parent) &&
  node.parent.token === ts.SyntaxKind.ExtendsKeyword &&
  ts.isClassLike(node.parent.parent);
