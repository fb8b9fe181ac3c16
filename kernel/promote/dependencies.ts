import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";
import { type Unit, unitFinder } from "./unit.ts";
import type { Mutation, Sharing } from "./value-flow.ts";
import { useOf } from "./value-use.ts";

export type EdgeKind = "read" | "type" | "import" | "write";

/** Unit `from` mentions `name`, which unit `to` declares. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly name: string;
  readonly kind: EdgeKind;
  /** Inside a function that is not run where it stands. */
  readonly deferred: boolean;
  /** In a call, as callee or argument: what the name stands for may run here. */
  readonly called: boolean;
  /** Where the value that was read may be changed in place. */
  readonly mutations: readonly Mutation[];
  /** Further names for the value that was read, or for something in it. */
  readonly shared: readonly SharedName[];
  readonly node: ts.Node;
}

/** `name`, declared by unit `unit`, is the value of an edge at `depth`; see {@link Sharing}. */
export interface SharedName {
  readonly unit: number;
  readonly name: string;
  readonly depth: number;
  readonly least: number;
}

/** Every mention, by any unit, of a name that another unit declares. */
export function dependencies(cells: CellProgram, units: readonly Unit[]): Edge[] {
  const unitOf = unitFinder(units);
  const declaring = declaringUnits(cells, units);
  const edges: Edge[] = [];
  for (const unit of units) {
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) edges.push(...edgesOf(node, unit));
      ts.forEachChild(node, visit);
    };
    visit(unit.node);
  }
  return edges;

  function edgesOf(identifier: ts.Identifier, unit: Unit): Edge[] {
    const symbol = referredSymbol(identifier, cells.checker);
    const targets = new Set<Unit>();
    for (const declaration of symbol?.declarations ?? []) {
      const file = cells.files.find((candidate) => candidate.sourceFile === declaration.getSourceFile());
      if (file === undefined) continue;
      if (declaration.getStart() < file.length) {
        const target = unitOf(declaration);
        if (target !== undefined && !isOwnDeclaration(identifier)) targets.add(target);
      } else {
        const provider = file.imports.get(identifier.text) ?? file.imports.get(symbol!.name);
        if (provider === undefined) continue;
        for (const target of declaring[provider]!.get(symbol!.name) ?? []) targets.add(target);
      }
    }
    targets.delete(unit);
    if (targets.size === 0) return [];
    const use = useOf(identifier, cells);
    return [...targets].map((target) => ({
      from: unit.index,
      to: target.index,
      name: identifier.text,
      kind: use.kind === "read" && ts.isImportDeclaration(target.statement) ? "import" : use.kind,
      deferred: isDeferred(identifier, unit.node),
      called: isCalled(identifier),
      mutations: use.kind === "read" ? use.mutations : [],
      shared: use.kind === "read" ? use.sharings.flatMap(sharedName) : [],
      node: identifier,
    }));
  }

  function sharedName({ declaration, name, depth, least }: Sharing): SharedName[] {
    const unit = unitOf(declaration);
    return unit === undefined ? [] : [{ unit: unit.index, name, depth, least }];
  }
}

/** Per cell: name -> the units that declare it (several for overloads and merged interfaces). */
function declaringUnits(cells: CellProgram, units: readonly Unit[]): Map<string, Unit[]>[] {
  return cells.files.map((file) => {
    const byName = new Map<string, Unit[]>();
    for (const unit of units) {
      if (unit.file !== file) continue;
      for (const name of unit.names) byName.set(name, [...(byName.get(name) ?? []), unit]);
    }
    return byName;
  });
}

function referredSymbol(identifier: ts.Identifier, checker: ts.TypeChecker): ts.Symbol | undefined {
  const parent = identifier.parent;
  if (ts.isShorthandPropertyAssignment(parent)) return checker.getShorthandAssignmentValueSymbol(parent);
  if (ts.isPropertyAccessExpression(parent) && parent.name === identifier) return undefined;
  if (ts.isQualifiedName(parent) && parent.right === identifier) return undefined;
  if (ts.isPropertyAssignment(parent) && parent.name === identifier) return undefined;
  if (ts.isBindingElement(parent) && parent.propertyName === identifier) return undefined;
  if (ts.isExportSpecifier(parent)) return checker.getExportSpecifierLocalTargetSymbol(parent);
  return checker.getSymbolAtLocation(identifier);
}

function isOwnDeclaration(identifier: ts.Identifier): boolean {
  const parent = identifier.parent as ts.NamedDeclaration;
  return (
    parent.name === identifier && !ts.isShorthandPropertyAssignment(parent) && !ts.isPropertyAccessExpression(parent)
  );
}

/**
 * A function's body runs later, unless the function is called where it stands or handed to a call: `rows.forEach((row) => …)`
 * is taken to run it.
 */
export const isDeferred = (node: ts.Node, within: ts.Node): boolean => deferredBy(node, within) !== undefined;

/** The function, or the field of a class, whose run includes this node; undefined where the node runs with what is around it. */
export function deferredBy(node: ts.Node, within: ts.Node): ts.Node | undefined {
  for (let at = node; at !== within && at !== undefined; at = at.parent) {
    if (ts.isFunctionLike(at) && !ts.isTypeNode(at) && !runsInPlace(at)) return at;
    if (ts.isPropertyDeclaration(at) && !at.modifiers?.some((m) => m.kind === ts.SyntaxKind.StaticKeyword)) return at;
  }
  return ts.isFunctionDeclaration(within) && node !== within ? within : undefined;
}

function runsInPlace(node: ts.Node): boolean {
  if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)) return false;
  let outer: ts.Node = node;
  while (ts.isParenthesizedExpression(outer.parent) || ts.isAsExpression(outer.parent)) outer = outer.parent;
  return ts.isCallExpression(outer.parent) || ts.isNewExpression(outer.parent);
}

/** The mention is (part of) a callee or an argument. */
function isCalled(node: ts.Node): boolean {
  for (let at = node; at.parent !== undefined && !ts.isStatement(at) && !ts.isFunctionLike(at); at = at.parent) {
    const parent = at.parent;
    if (ts.isCallExpression(parent) || ts.isNewExpression(parent) || ts.isTaggedTemplateExpression(parent)) return true;
  }
  return false;
}
