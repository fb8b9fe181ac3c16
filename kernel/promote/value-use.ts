import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";

/** What one mention of a name does to the value behind it. */
export type Use =
  | { readonly kind: "type" | "read" }
  /** The name itself gets another value: assignment, `++`. */
  | { readonly kind: "write" }
  /** The value may be changed in place; `how` is the source text that does it. */
  | { readonly kind: "mutation"; readonly how: string };

const READ = { kind: "read" } as const;

/** Array, Map, Set, Date and typed-array methods that change nothing. */
const PURE_METHODS = new Set(
  `at concat entries every filter find findIndex findLast findLastIndex flat flatMap forEach get has includes indexOf
  isDisjointFrom isSubsetOf isSupersetOf join keys lastIndexOf map reduce reduceRight slice some subarray toLocaleString toReversed
  toSorted toSpliced toString union intersection difference symmetricDifference valueOf values with
  getTime getFullYear getMonth getDate getDay getHours getMinutes getSeconds getMilliseconds getUTCFullYear getUTCMonth getUTCDate
  getUTCDay getUTCHours getUTCMinutes getUTCSeconds getUTCMilliseconds getTimezoneOffset toISOString toJSON toDateString toTimeString
  test exec then catch finally hasOwnProperty isPrototypeOf propertyIsEnumerable call apply bind`.split(/\s+/),
);

/** Functions of the language that change their first argument. */
const CHANGES_FIRST =
  /^(Object\.(assign|defineProperty|defineProperties|setPrototypeOf)|Reflect\.(set|defineProperty|deleteProperty))$/;

/** Classifies one identifier that refers to a declaration elsewhere. */
export function useOf(identifier: ts.Identifier, cells: CellProgram): Use {
  if (isTypePosition(identifier)) return { kind: "type" };
  return valueUse(identifier, cells, new Set());
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

function valueUse(identifier: ts.Identifier, cells: CellProgram, seen: Set<ts.Node>): Use {
  let chain: ts.Expression = identifier;
  for (;;) {
    const parent = chain.parent;
    if (isWrapper(parent) && parent.expression === chain) chain = parent;
    else if (isAccess(parent) && parent.expression === chain) {
      const outer = parent.parent;
      if (ts.isCallExpression(outer) && outer.expression === parent)
        return methodUse(chain, parent, outer, cells, seen);
      chain = parent;
    } else break;
  }
  const parent = chain.parent;
  const isName = unwrapped(chain) === identifier;
  if (isTarget(chain)) return isName ? { kind: "write" } : { kind: "mutation", how: textOf(parent) };
  if (ts.isDeleteExpression(parent)) return { kind: "mutation", how: textOf(parent) };
  if (ts.isShorthandPropertyAssignment(parent) && isDestructuringTarget(parent.parent)) return { kind: "write" };
  const call = ts.isSpreadElement(parent) ? parent.parent : parent;
  if ((ts.isCallExpression(call) || ts.isNewExpression(call)) && call.expression !== chain) {
    if (ts.isSpreadElement(parent) || !argumentMayChange(chain, call, cells, seen)) return READ;
    return { kind: "mutation", how: textOf(call) };
  }
  return READ;
}

type Wrapper = ts.ParenthesizedExpression | ts.NonNullExpression | ts.AsExpression | ts.SatisfiesExpression;
const isWrapper = (node: ts.Node): node is Wrapper =>
  ts.isParenthesizedExpression(node) ||
  ts.isNonNullExpression(node) ||
  ts.isAsExpression(node) ||
  ts.isSatisfiesExpression(node);

const isAccess = (node: ts.Node): node is ts.PropertyAccessExpression | ts.ElementAccessExpression =>
  ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);

const unwrapped = (node: ts.Expression): ts.Expression => (isWrapper(node) ? unwrapped(node.expression) : node);

/** Is this expression assigned to: `x = …`, `x += …`, `x++`, `[x] = …`, `for (x of …)`? */
function isTarget(node: ts.Expression): boolean {
  const parent = node.parent;
  if (ts.isBinaryExpression(parent)) {
    const operator = parent.operatorToken.kind;
    const assigns = operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment;
    return assigns && parent.left === node;
  }
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) {
    return parent.operator === ts.SyntaxKind.PlusPlusToken || parent.operator === ts.SyntaxKind.MinusMinusToken;
  }
  if (ts.isForOfStatement(parent) || ts.isForInStatement(parent)) return parent.initializer === node;
  if (ts.isArrayLiteralExpression(parent)) return isDestructuringTarget(parent);
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node && isDestructuringTarget(parent.parent);
  return false;
}

const isDestructuringTarget = (node: ts.Expression): boolean =>
  (ts.isArrayLiteralExpression(node) || ts.isObjectLiteralExpression(node)) && isTarget(node);

function methodUse(
  receiver: ts.Expression,
  access: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  call: ts.CallExpression,
  cells: CellProgram,
  seen: Set<ts.Node>,
): Use {
  if (isUnchangeable(receiver, cells)) return READ;
  const declaration = cells.checker.getResolvedSignature(call)?.declaration;
  const name = ts.isPropertyAccessExpression(access) ? access.name.text : "";
  if (declaration !== undefined && isLibrary(declaration, cells)) return READ;
  if (declaration !== undefined && isLanguage(declaration, cells) && PURE_METHODS.has(name)) return READ;
  if (isNamespaceLike(receiver, cells)) return READ;
  const body = declaration !== undefined ? bodyOf(declaration) : undefined;
  if (body !== undefined && !changesThis(body)) return READ;
  void seen;
  return { kind: "mutation", how: textOf(call) };
}

/** May the call change the value given as this argument? */
function argumentMayChange(
  argument: ts.Expression,
  call: ts.CallExpression | ts.NewExpression,
  cells: CellProgram,
  seen: Set<ts.Node>,
): boolean {
  if (isUnchangeable(argument, cells)) return false;
  const position = [...(call.arguments ?? [])].indexOf(argument);
  const declaration = cells.checker.getResolvedSignature(call)?.declaration;
  if (declaration === undefined) return true;
  if (isLibrary(declaration, cells)) return false;
  if (isLanguage(declaration, cells)) return CHANGES_FIRST.test(call.expression.getText()) && position === 0;
  const parameter = declaration.parameters[position] as ts.ParameterDeclaration | undefined;
  const body = bodyOf(declaration);
  if (body === undefined || parameter === undefined || !ts.isIdentifier(parameter.name)) return true;
  if (seen.has(parameter)) return false;
  seen.add(parameter);
  return mentions(body, parameter.name.text).some((mention) => valueUse(mention, cells, seen).kind === "mutation");
}

const bodyOf = (declaration: ts.Node): ts.Node | undefined => (declaration as { body?: ts.Node }).body;

function mentions(body: ts.Node, name: string): ts.Identifier[] {
  const found: ts.Identifier[] = [];
  const visit = (node: ts.Node): void => {
    const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
    if (ts.isIdentifier(node) && node.text === name && !isMember) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(body);
  return found;
}

/** Does a method body assign to `this.…` or hand `this` on? Reading a field of it is all that is harmless. */
function changesThis(body: ts.Node): boolean {
  let changes = false;
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.ThisKeyword) {
      let chain: ts.Node = node;
      while (isAccess(chain.parent) && chain.parent.expression === chain) chain = chain.parent;
      const called = ts.isCallExpression(chain.parent) && chain.parent.expression === chain;
      if (chain === node || called || isTarget(chain as ts.Expression)) changes = true;
    }
    ts.forEachChild(node, visit);
  };
  visit(body);
  return changes;
}

/** Values nobody can change in place: primitives, functions, frames, expressions, frozen and readonly data. */
function isUnchangeable(expression: ts.Expression, cells: CellProgram): boolean {
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
function isNamespaceLike(receiver: ts.Expression, cells: CellProgram): boolean {
  let symbol = cells.checker.getSymbolAtLocation(unwrapped(receiver));
  if (symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0)
    symbol = cells.checker.getAliasedSymbol(symbol);
  return (
    symbol !== undefined &&
    (symbol.flags & (ts.SymbolFlags.ValueModule | ts.SymbolFlags.Class | ts.SymbolFlags.Enum)) !== 0
  );
}

/** Millrace and Polars: their verbs return something new. */
const isLibrary = (node: ts.Node, cells: CellProgram) =>
  cells.isMillrace(node) || node.getSourceFile().fileName.includes("/node_modules/nodejs-polars/");

/** The language's own library and Node's. */
const isLanguage = (node: ts.Node, cells: CellProgram) => {
  const file = node.getSourceFile();
  return cells.program.isSourceFileDefaultLibrary(file) || file.fileName.includes("/node_modules/@types/node/");
};

function textOf(node: ts.Node): string {
  const text = node.getText().replace(/\s+/g, " ");
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
