import ts from "typescript";
import type { FrameColumns } from "./frame-columns.ts";
import { bare } from "./literals.ts";

/** The frame whose column a name in code over rows reads: `row.x`, `row["x"]`, `({ x }) => …`, `const { x } = row`. */
export function rowSite(name: ts.Node, frames: FrameColumns): ts.Expression | undefined {
  const { parent } = name;
  if (ts.isPropertyAccessExpression(parent))
    return parent.name === name ? frameOfRow(parent.expression, frames) : undefined;
  if (ts.isElementAccessExpression(parent))
    return parent.argumentExpression === name ? frameOfRow(parent.expression, frames) : undefined;
  if (!ts.isBindingElement(parent) || !ts.isObjectBindingPattern(parent.parent)) return undefined;
  // `...rest` reads nothing by name, and a default says that there may be no such column
  if (parent.dotDotDotToken !== undefined || parent.initializer !== undefined) return undefined;
  if ((parent.propertyName ?? parent.name) !== name) return undefined;
  const holder = parent.parent.parent;
  if (ts.isParameter(holder)) return frameOfParameter(holder, frames);
  return holder.initializer === undefined ? undefined : frameOfRow(holder.initializer, frames);
}

/** The frame whose rows a name stands for. What was cast, `(row as any).x`, is meant to be read unchecked. */
function frameOfRow(row: ts.Expression, frames: FrameColumns): ts.Expression | undefined {
  if (!ts.isIdentifier(row)) return undefined;
  const declaration = frames.declarationOf(row);
  return declaration !== undefined && ts.isParameter(declaration) ? frameOfParameter(declaration, frames) : undefined;
}

/** The frame whose rows are given as this parameter: that of `f.map((row) => …)`, `flatMap` and `process({ onRow })`. */
function frameOfParameter(parameter: ts.ParameterDeclaration, frames: FrameColumns): ts.Expression | undefined {
  const { parent: code } = parameter;
  if (code.parameters[0] !== parameter) return undefined;
  if (!ts.isArrowFunction(code) && !ts.isFunctionExpression(code) && !ts.isMethodDeclaration(code)) return undefined;
  const property = ts.isPropertyAssignment(code.parent) ? code.parent : ts.isMethodDeclaration(code) ? code : undefined;
  const argument = property === undefined ? code : property.parent;
  const call = argument.parent;
  if (!ts.isCallExpression(call) || call.arguments[0] !== argument) return undefined;
  const callee = bare(call.expression);
  if (!ts.isPropertyAccessExpression(callee)) return undefined;
  const verb = callee.name.text;
  const reads = property === undefined ? /^(map|flatMap)$/.test(verb) : verb === "process" && isOnRow(property.name);
  return reads && frames.isFrame(callee.expression) ? callee.expression : undefined;
}

const isOnRow = (name: ts.PropertyName): boolean => ts.isIdentifier(name) && name.text === "onRow";
