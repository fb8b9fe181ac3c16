import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";

type Wrapper = ts.ParenthesizedExpression | ts.NonNullExpression | ts.AsExpression | ts.SatisfiesExpression;
export const isWrapper = (node: ts.Node): node is Wrapper =>
  ts.isParenthesizedExpression(node) ||
  ts.isNonNullExpression(node) ||
  ts.isAsExpression(node) ||
  ts.isSatisfiesExpression(node);

export const isAccess = (node: ts.Node): node is ts.PropertyAccessExpression | ts.ElementAccessExpression =>
  ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);

export const unwrapped = (node: ts.Expression): ts.Expression => (isWrapper(node) ? unwrapped(node.expression) : node);

/** Values nobody can change in place: primitives, functions, frames, expressions, frozen and readonly data. */
export function isUnchangeable(expression: ts.Expression, cells: CellProgram): boolean {
  if (isFrozenConstant(expression, cells)) return true;
  return isUnchangeableType(cells.checker.getTypeAtLocation(expression), cells);
}

const PRIMITIVE =
  ts.TypeFlags.StringLike |
  ts.TypeFlags.NumberLike |
  ts.TypeFlags.BooleanLike |
  ts.TypeFlags.BigIntLike |
  ts.TypeFlags.ESSymbolLike |
  ts.TypeFlags.Undefined |
  ts.TypeFlags.Null |
  ts.TypeFlags.Void |
  ts.TypeFlags.Never;

function isUnchangeableType(type: ts.Type, cells: CellProgram): boolean {
  if ((type.flags & PRIMITIVE) !== 0) return true;
  if (type.isUnion()) return type.types.every((member) => isUnchangeableType(member, cells));
  if ((type.flags & ts.TypeFlags.Object) === 0) return false;
  const declarations = type.getSymbol()?.declarations ?? [];
  if (declarations.some((declaration) => isLibrary(declaration, cells))) return true;
  if (type.getCallSignatures().length > 0 && type.getProperties().length === 0) return true;
  const name = type.aliasSymbol?.name ?? type.getSymbol()?.name ?? "";
  if (/^Readonly/.test(name) || name === "RegExp") return true;
  const text = cells.checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
  if (text.startsWith("readonly ")) return true;
  if (name === "Promise") {
    const [inner] = cells.checker.getTypeArguments(type as ts.TypeReference);
    return inner === undefined || isUnchangeableType(inner, cells);
  }
  return false;
}

/** `const x = {…} as const` and `const x = Object.freeze(…)`. */
function isFrozenConstant(expression: ts.Expression, cells: CellProgram): boolean {
  let root = unwrapped(expression);
  while (isAccess(root)) root = unwrapped(root.expression);
  if (!ts.isIdentifier(root)) return false;
  let symbol = cells.checker.getSymbolAtLocation(root);
  if (symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0)
    symbol = cells.checker.getAliasedSymbol(symbol);
  const declaration = symbol?.valueDeclaration;
  if (declaration === undefined || !ts.isVariableDeclaration(declaration) || !declaration.initializer) return false;
  const value = declaration.initializer;
  if (ts.isAsExpression(value)) return value.type.getText() === "const";
  return ts.isCallExpression(value) && value.expression.getText() === "Object.freeze" && unwrapped(expression) === root;
}

/** `import * as x`, classes used for their static methods, `Math`: their methods do not change them. */
export function isNamespaceLike(receiver: ts.Expression, cells: CellProgram): boolean {
  let symbol = cells.checker.getSymbolAtLocation(unwrapped(receiver));
  if (symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0)
    symbol = cells.checker.getAliasedSymbol(symbol);
  return (
    symbol !== undefined &&
    (symbol.flags & (ts.SymbolFlags.ValueModule | ts.SymbolFlags.Class | ts.SymbolFlags.Enum)) !== 0
  );
}

/** Millrace and Polars: their verbs return something new. */
export const isLibrary = (node: ts.Node, cells: CellProgram) =>
  cells.isMillrace(node) || node.getSourceFile().fileName.includes("/node_modules/nodejs-polars/");

/** The language's own library and Node's. */
export const isLanguage = (node: ts.Node, cells: CellProgram) => {
  const file = node.getSourceFile();
  return cells.program.isSourceFileDefaultLibrary(file) || file.fileName.includes("/node_modules/@types/node/");
};
