import ts from "typescript";
import { boundNames } from "./declared-names.ts";
import type { Unit } from "./unit.ts";

/** A unit sets something that belongs to no cell: `process.env.LIMIT = …`, `globalThis.limit = …`. */
export interface GlobalChange {
  readonly unit: number;
  /** As written: `process.env.LIMIT`. */
  readonly target: string;
  /** The last name of it, by which others find it again. */
  readonly name: string;
}

const SETS = /^(Object\.(assign|defineProperty|defineProperties)|Reflect\.(set|defineProperty))$/;

export function globalChanges(units: readonly Unit[]): GlobalChange[] {
  const changes: GlobalChange[] = [];
  const own = new Set(units.flatMap(({ names }) => names));
  const isGlobal = (target: ts.Expression): boolean => {
    const root = rootOf(target);
    return root !== undefined && !own.has(root.text) && !isLocal(root);
  };
  for (const unit of units) {
    const visit = (node: ts.Node): void => {
      if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) {
        const name = lastName(node.left);
        if (name !== undefined && isGlobal(node.left))
          changes.push({ unit: unit.index, target: node.left.getText(), name });
      }
      if (ts.isCallExpression(node) && SETS.test(node.expression.getText())) {
        const [target, what] = node.arguments;
        if (target !== undefined && what !== undefined && isGlobal(target))
          for (const name of namesSet(what))
            changes.push({ unit: unit.index, target: `${target.getText()}.${name}`, name });
      }
      ts.forEachChild(node, visit);
    };
    visit(unit.node);
  }
  return changes;
}

/** The fields of `{ … }`, or the one that a text names. */
function namesSet(what: ts.Expression): string[] {
  if (ts.isStringLiteralLike(what)) return [what.text];
  if (!ts.isObjectLiteralExpression(what)) return [];
  return what.properties.flatMap(({ name }) =>
    name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteralLike(name)) ? [name.text] : [],
  );
}

/** A parameter, or declared in a function or block. */
function isLocal(name: ts.Identifier): boolean {
  for (let at: ts.Node = name; at.parent !== undefined; at = at.parent) {
    if (ts.isFunctionLike(at) && at.parameters.some((parameter) => boundNames(parameter.name).includes(name.text)))
      return true;
    if (ts.isBlock(at) || ts.isForStatement(at) || ts.isForOfStatement(at) || ts.isForInStatement(at)) {
      const declares = (node: ts.Node): boolean =>
        (ts.isVariableDeclaration(node) && boundNames(node.name).includes(name.text)) ||
        (!ts.isFunctionLike(node) && ts.forEachChild(node, (child) => declares(child) || undefined) === true);
      if (declares(at)) return true;
    }
  }
  return false;
}

/** Does the unit mention this name: as an identifier, a property or a text? */
export function mentionsName(unit: Unit, name: string): boolean {
  const visit = (node: ts.Node): boolean =>
    ((ts.isIdentifier(node) || ts.isStringLiteralLike(node)) && node.text === name) ||
    ts.forEachChild(node, (child) => visit(child) || undefined) === true;
  return visit(unit.node);
}

const isAssignment = (kind: ts.SyntaxKind) =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;

function lastName(target: ts.Expression): string | undefined {
  if (ts.isPropertyAccessExpression(target)) return target.name.text;
  if (ts.isElementAccessExpression(target) && ts.isStringLiteralLike(target.argumentExpression))
    return target.argumentExpression.text;
  return undefined;
}

function rootOf(target: ts.Expression): ts.Identifier | undefined {
  if (ts.isIdentifier(target)) return target;
  if (
    ts.isPropertyAccessExpression(target) ||
    ts.isElementAccessExpression(target) ||
    ts.isParenthesizedExpression(target) ||
    ts.isAsExpression(target) ||
    ts.isNonNullExpression(target)
  )
    return rootOf(target.expression);
  return undefined;
}
