import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";
import { isAccess, isLanguage, isLibrary, isNamespaceLike, isUnchangeable, isWrapper } from "./changeable.ts";

/** A place where a value, or something inside it, is changed. */
export interface Mutation {
  /** How deep: 1 for `x.a = …` and `x.push(…)`, 2 for `x.a.b = …`. */
  readonly depth: number;
  /** The source text that does it. */
  readonly how: string;
}

/** The value of a mention, or a part of it, goes by another name as well: `inner` is `x.…` at `depth` (negative: `inner` holds `x`). */
export interface Sharing {
  /** The name's declaration, at the top level of a cell. */
  readonly declaration: ts.Node;
  readonly name: string;
  readonly depth: number;
  /** Only changes so deep in `x`, or deeper, are seen under both names: a copy shares what it holds. */
  readonly least: number;
}

export interface Flow {
  readonly mutations: readonly Mutation[];
  readonly sharings: readonly Sharing[];
}

/** Array, Map, Set, Date and typed-array methods that change nothing. */
const PURE_METHODS = new Set(
  `at concat entries every filter find findIndex findLast findLastIndex flat flatMap forEach get has includes indexOf
  isDisjointFrom isSubsetOf isSupersetOf join keys lastIndexOf map reduce reduceRight slice some subarray toLocaleString toReversed
  toSorted toSpliced toString union intersection difference symmetricDifference valueOf values with
  getTime getFullYear getMonth getDate getDay getHours getMinutes getSeconds getMilliseconds getUTCFullYear getUTCMonth getUTCDate
  getUTCDay getUTCHours getUTCMinutes getUTCSeconds getUTCMilliseconds getTimezoneOffset toISOString toJSON toDateString toTimeString
  test exec then catch finally hasOwnProperty isPrototypeOf propertyIsEnumerable call apply bind`.split(/\s+/),
);

/** Of these, the ones that give what the value holds itself; the others give a copy that holds the same things. */
const GIVES_ELEMENT = /^(at|find|findLast|get|reduce|reduceRight)$/;
/** Functions of the language that change their first argument. */
const CHANGES_FIRST =
  /^(Object\.(assign|defineProperty|defineProperties|setPrototypeOf)|Reflect\.(set|defineProperty|deleteProperty))$/;
const GIVES_FIRST = /^Object\.(assign|freeze|seal|preventExtensions|setPrototypeOf)$|^Promise\.resolve$/;
const COPIES_FIRST = /^(Object\.(values|entries|fromEntries|groupBy)|Array\.from|Map|Set|Array|Promise\.all)$/;

/** Follows the value of a mention wherever it goes within the unit: into properties, local names, callbacks and the functions it is handed to. */
export function flowOf(identifier: ts.Identifier, cells: CellProgram): Flow {
  const mutations: Mutation[] = [];
  const sharings: Sharing[] = [];
  const seen = new Set<string>();
  follow(identifier, 0, 1);
  return { mutations, sharings };

  /** `node` is the value at `depth` in what is followed; changes below `least` do not reach it. */
  function follow(node: ts.Expression, depth: number, least: number): void {
    if (Math.abs(depth) > 8 || !isNew(node, depth, least)) return;
    const { parent } = node;
    if ((isWrapper(parent) || ts.isAwaitExpression(parent)) && parent.expression === node) follow(parent, depth, least);
    else if (isTarget(node) || ts.isDeleteExpression(parent)) mutated(depth, least, parent);
    else if (isCallee(node)) {
      const declaration = cells.checker.getResolvedSignature(parent as ts.CallExpression)?.declaration;
      if (declaration !== undefined && changesCaptured(declaration)) mutated(depth + 1, least, parent);
      follow(parent as ts.Expression, depth, least);
    } else if (!isConstructed(node) && !isUnchangeable(node, cells)) onward(node, parent, depth, least);
  }

  /** By what the expression around it does with a value that can be changed. */
  function onward(node: ts.Expression, parent: ts.Node, depth: number, least: number): void {
    const copied = Math.max(least, depth + 2);
    if (isAccess(parent) && parent.expression === node) {
      const call = parent.parent;
      if (ts.isCallExpression(call) && call.expression === parent) method(node, parent, call, depth, least);
      else follow(parent, depth + 1, least);
    } else if (isCallOrNew(parent)) argument(node, parent, depth, least);
    else if (ts.isSpreadElement(parent) && ts.isArrayLiteralExpression(parent.parent))
      follow(parent.parent, depth, copied);
    else if (ts.isSpreadAssignment(parent)) follow(parent.parent, depth, copied);
    else if (ts.isArrayLiteralExpression(parent)) follow(parent, depth - 1, least);
    else if (ts.isShorthandPropertyAssignment(parent)) follow(parent.parent, depth - 1, least);
    else if (ts.isPropertyAssignment(parent) && parent.initializer === node) follow(parent.parent, depth - 1, least);
    else if (ts.isConditionalExpression(parent) && parent.condition !== node) follow(parent, depth, least);
    else if (ts.isBinaryExpression(parent)) binary(node, parent, depth, least);
    else if (ts.isVariableDeclaration(parent) && parent.initializer === node) bind(parent.name, depth, least);
    else if (ts.isForOfStatement(parent) && parent.expression === node) {
      const { initializer } = parent;
      if (ts.isVariableDeclarationList(initializer))
        for (const { name } of initializer.declarations) bind(name, depth + 1, least);
    } else if (ts.isReturnStatement(parent) || (ts.isArrowFunction(parent) && parent.body === node))
      returned(parent, depth, least);
  }

  function isNew(node: ts.Node, depth: number, least: number): boolean {
    const place = `${node.getSourceFile().fileName} ${node.pos} ${node.kind} ${depth} ${least}`;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  }

  function mutated(depth: number, least: number, at: ts.Node): void {
    if (depth >= least) mutations.push({ depth, how: textOf(at) });
  }

  function binary(node: ts.Expression, parent: ts.BinaryExpression, depth: number, least: number): void {
    const operator = parent.operatorToken.kind;
    const passes =
      operator === ts.SyntaxKind.QuestionQuestionToken ||
      operator === ts.SyntaxKind.BarBarToken ||
      (parent.right === node && [ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.CommaToken].includes(operator));
    if (passes) follow(parent, depth, least);
    if (operator === ts.SyntaxKind.EqualsToken && parent.right === node && ts.isIdentifier(parent.left))
      bind(parent.left, depth, least);
  }

  function method(
    receiver: ts.Expression,
    access: ts.PropertyAccessExpression | ts.ElementAccessExpression,
    call: ts.CallExpression,
    depth: number,
    least: number,
  ): void {
    const declaration = cells.checker.getResolvedSignature(call)?.declaration;
    const name = ts.isPropertyAccessExpression(access) ? access.name.text : "";
    if (declaration !== undefined && isLibrary(declaration, cells)) return;
    if (declaration !== undefined && isLanguage(declaration, cells) && PURE_METHODS.has(name)) {
      for (const given of call.arguments)
        if (ts.isArrowFunction(given) || ts.isFunctionExpression(given))
          for (const parameter of given.parameters) bind(parameter.name, depth + 1, least);
      if (GIVES_ELEMENT.test(name)) follow(call, depth + 1, least);
      else follow(call, depth, Math.max(least, depth + 2));
      return;
    }
    if (isNamespaceLike(receiver, cells)) return;
    const body = declaration !== undefined ? bodyOf(declaration) : undefined;
    if (body === undefined || changesThis(body) || changesCaptured(declaration!)) mutated(depth + 1, least, call);
  }

  /** A function made by another one may change what it shares with it: `() => ++n` of a counter. To whoever holds it, that is a change of what is held. */
  function changesCaptured(declaration: ts.Node): boolean {
    const body = bodyOf(declaration);
    if (body === undefined || enclosingFunction(declaration) === undefined) return false;
    const isCaptured = (symbol: ts.Symbol | undefined): boolean => {
      const at = symbol?.valueDeclaration;
      if (at === undefined || at.getSourceFile() !== body.getSourceFile()) return false;
      if (at.pos >= declaration.pos && at.end <= declaration.end) return false; // its own
      return enclosingFunction(at) !== undefined;
    };
    const visit = (node: ts.Node): boolean => {
      if (ts.isIdentifier(node) && isChanged(node) && isCaptured(cells.checker.getSymbolAtLocation(node))) return true;
      return ts.forEachChild(node, (child) => visit(child) || undefined) === true;
    };
    return visit(body);
  }

  /** Assigned to, or changed by what is called on it. */
  function isChanged(name: ts.Identifier): boolean {
    let chain: ts.Expression = name;
    while (isAccess(chain.parent) && chain.parent.expression === chain) {
      const access = chain.parent;
      if (ts.isCallExpression(access.parent) && access.parent.expression === access) {
        const method = ts.isPropertyAccessExpression(access) ? access.name.text : "";
        const callee = cells.checker.getResolvedSignature(access.parent)?.declaration;
        return (
          callee !== undefined &&
          isLanguage(callee, cells) &&
          !PURE_METHODS.has(method) &&
          !isNamespaceLike(chain, cells)
        );
      }
      chain = access;
    }
    return isTarget(chain);
  }

  function argument(
    node: ts.Expression,
    call: ts.CallExpression | ts.NewExpression,
    depth: number,
    least: number,
  ): void {
    const position = [...(call.arguments ?? [])].indexOf(node);
    const declaration = cells.checker.getResolvedSignature(call)?.declaration;
    const callee = call.expression.getText();
    if (declaration !== undefined && isLibrary(declaration, cells)) return;
    if (declaration !== undefined && isLanguage(declaration, cells)) {
      if (position === 0 && (CHANGES_FIRST.test(callee) || changesReceiver(call))) mutated(depth + 1, least, call);
      if (position === 0 && GIVES_FIRST.test(callee)) follow(call, depth, least);
      else if (COPIES_FIRST.test(callee)) follow(call, depth, Math.max(least, depth + 2));
      return;
    }
    const parameter = declaration?.parameters[position] as ts.ParameterDeclaration | undefined;
    const body = declaration && bodyOf(declaration);
    if (body === undefined || parameter === undefined) mutated(depth + 1, least, call);
    else {
      bind(parameter.name, depth, least, textOf(call));
      if (givesBack(body, parameter)) follow(call, depth, least);
    }
  }

  /** `Array.prototype.push.call(value, …)`: the method changes what it is called on. */
  function changesReceiver(call: ts.CallExpression | ts.NewExpression): boolean {
    const by = call.expression;
    if (!ts.isPropertyAccessExpression(by) || !/^(call|apply)$/.test(by.name.text)) return false;
    const [signature] = cells.checker.getTypeAtLocation(by.expression).getCallSignatures();
    const declaration = signature?.declaration;
    if (declaration === undefined || isLibrary(declaration, cells)) return false;
    const body = bodyOf(declaration);
    if (body !== undefined) return changesThis(body);
    return ts.isPropertyAccessExpression(by.expression) && !PURE_METHODS.has(by.expression.name.text);
  }

  /** The value gets a name, or its parts get names: what is done to them is done to it. */
  function bind(name: ts.BindingName, depth: number, least: number, how?: string): void {
    if (!ts.isIdentifier(name)) {
      for (const element of name.elements) {
        if (ts.isOmittedExpression(element)) continue;
        if (element.dotDotDotToken) bind(element.name, depth, Math.max(least, depth + 2), how);
        else bind(element.name, depth + 1, least, how);
      }
      return;
    }
    const symbol = cells.checker.getSymbolAtLocation(name);
    const declaration = symbol?.valueDeclaration;
    if (symbol === undefined || declaration === undefined) return;
    if (isTopLevel(declaration)) {
      sharings.push({ declaration, name: name.text, depth, least });
      return;
    }
    const before = mutations.length;
    for (const mention of mentions(scopeOf(declaration), symbol)) follow(mention, depth, least);
    if (how !== undefined) for (let i = before; i < mutations.length; i++) mutations[i] = { ...mutations[i]!, how };
  }

  /** A function that gives the value back shares it with whoever calls the function by its name. */
  function returned(from: ts.Node, depth: number, least: number): void {
    let at: ts.Node = from;
    while (at !== undefined && !ts.isFunctionLike(at)) at = at.parent;
    if (at === undefined) return;
    const named = ts.isFunctionDeclaration(at) ? at : ts.isVariableDeclaration(at.parent) ? at.parent : undefined;
    if (named?.name !== undefined && ts.isIdentifier(named.name) && isTopLevel(named))
      sharings.push({ declaration: named, name: named.name.text, depth, least });
  }

  function mentions(scope: ts.Node, symbol: ts.Symbol): ts.Identifier[] {
    const found: ts.Identifier[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) && node.text === symbol.name && refersTo(node, symbol)) found.push(node);
      ts.forEachChild(node, visit);
    };
    visit(scope);
    return found;
  }

  function refersTo(node: ts.Identifier, symbol: ts.Symbol): boolean {
    const { parent } = node;
    if (ts.isShorthandPropertyAssignment(parent))
      return cells.checker.getShorthandAssignmentValueSymbol(parent) === symbol;
    return !isBindingName(node) && cells.checker.getSymbolAtLocation(node) === symbol;
  }

  function givesBack(body: ts.Node, parameter: ts.ParameterDeclaration): boolean {
    if (!ts.isIdentifier(parameter.name)) return false;
    const symbol = cells.checker.getSymbolAtLocation(parameter.name);
    if (symbol === undefined) return false;
    return (
      mentions(body, symbol).some(({ parent }) => ts.isReturnStatement(parent) || parent === body.parent) ||
      isMention(body, symbol)
    );
  }

  function isMention(node: ts.Node, symbol: ts.Symbol): boolean {
    return ts.isIdentifier(node) && cells.checker.getSymbolAtLocation(node) === symbol;
  }
}

const isBindingName = (node: ts.Identifier) =>
  (node.parent as ts.NamedDeclaration).name === node && !isAccess(node.parent);

const isCallee = (node: ts.Node) => ts.isCallExpression(node.parent) && node.parent.expression === node;

/** `new Name(…)` makes something new of a class and leaves the class as it is. */
const isConstructed = (node: ts.Node) => ts.isNewExpression(node.parent) && node.parent.expression === node;

const isCallOrNew = (node: ts.Node): node is ts.CallExpression | ts.NewExpression =>
  ts.isCallExpression(node) || ts.isNewExpression(node);

/** Declared in a cell's own scope, not in a function, a block or a loop. */
function isTopLevel(declaration: ts.Node): boolean {
  let at: ts.Node = declaration;
  while (ts.isBindingElement(at) || ts.isBindingName(at)) at = at.parent;
  if (ts.isFunctionDeclaration(at)) return ts.isSourceFile(at.parent);
  if (!ts.isVariableDeclaration(at)) return false;
  const list = at.parent;
  return ts.isVariableStatement(list.parent) && ts.isSourceFile(list.parent.parent);
}

/** The function, loop or block in which a local name holds. */
function scopeOf(declaration: ts.Node): ts.Node {
  let at = declaration.parent;
  while (!ts.isFunctionLike(at) && !ts.isBlock(at) && !ts.isIterationStatement(at, false) && !ts.isSourceFile(at))
    at = at.parent;
  return at;
}

/** Is this expression assigned to: `x = …`, `x += …`, `x++`, `[x] = …`, `for (x of …)`? */
export function isTarget(node: ts.Expression): boolean {
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

export const isDestructuringTarget = (node: ts.Expression): boolean =>
  (ts.isArrayLiteralExpression(node) || ts.isObjectLiteralExpression(node)) && isTarget(node);

/** The function around a node; undefined at the top level. */
function enclosingFunction(node: ts.Node): ts.Node | undefined {
  for (let at = node.parent; at !== undefined && !ts.isSourceFile(at); at = at.parent)
    if (ts.isFunctionLike(at) && bodyOf(at) !== undefined) return at;
  return undefined;
}

const bodyOf = (declaration: ts.Node): ts.Node | undefined => (declaration as { body?: ts.Node }).body;

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

function textOf(node: ts.Node): string {
  const text = node.getText().replace(/\s+/g, " ");
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
