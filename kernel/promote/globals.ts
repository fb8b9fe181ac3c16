import ts from "typescript";
import type { Unit } from "./unit.ts";

/** A unit sets something that belongs to no cell: `process.env.LIMIT = …`, `globalThis.limit = …`. */
export interface GlobalChange {
  readonly unit: number;
  /** As written: `process.env.LIMIT`. */
  readonly target: string;
  /** The last name of it, by which others find it again. */
  readonly name: string;
}

const ROOTS = /^(globalThis|global|process)$/;

export function globalChanges(units: readonly Unit[]): GlobalChange[] {
  const changes: GlobalChange[] = [];
  for (const unit of units) {
    const visit = (node: ts.Node): void => {
      if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) {
        const name = lastName(node.left);
        if (name !== undefined && ROOTS.test(rootOf(node.left)?.text ?? ""))
          changes.push({ unit: unit.index, target: node.left.getText(), name });
      }
      ts.forEachChild(node, visit);
    };
    visit(unit.node);
  }
  return changes;
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
