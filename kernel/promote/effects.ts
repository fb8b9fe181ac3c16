import path from "node:path";
import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";
import { type Edge, isDeferred } from "./dependencies.ts";
import { type Unit, unitFinder } from "./unit.ts";

/** A call that declares a sink: `.to(…)`, `.toTable(…)`, `.toParquet(…)` of a frame. */
export interface SinkCall {
  readonly unit: number;
  readonly call: ts.CallExpression;
  /** E.g. `.to("crash-alerts")`. */
  readonly label: string;
}

/** Unit `unit` changes what `name`, declared by unit `of`, stands for. */
export interface Change {
  readonly unit: number;
  readonly of: number;
  readonly name: string;
  readonly kind: "write" | "mutation";
  /** Of a mutation: how deep in the value; 1 for `x.a = …`. */
  readonly depth: number;
  readonly how: string;
  readonly node: ts.Node;
}

export interface Effects {
  /** Per unit: the sinks declared when it runs, also through the functions it calls. */
  readonly sinks: readonly (readonly SinkCall[])[];
  /** Per unit: the changes made when it runs, also through the functions it calls. */
  readonly changes: readonly (readonly Change[])[];
}

const SINK_VERBS = new Set(["to", "toTable", "toParquet"]);

/** The method of `millrace` that a call resolves to, by the type of its receiver; undefined for any other call. */
export function millraceMethod(call: ts.CallExpression, cells: CellProgram): string | undefined {
  const declaration = cells.checker.getResolvedSignature(call)?.declaration;
  if (declaration === undefined || !cells.isMillrace(declaration)) return undefined;
  const name = (declaration as ts.MethodDeclaration).name;
  return name !== undefined && ts.isIdentifier(name) ? name.text : undefined;
}

export function isSinkCall(call: ts.CallExpression, cells: CellProgram): boolean {
  const callee = call.expression;
  if (!ts.isPropertyAccessExpression(callee) && !ts.isElementAccessExpression(callee)) return false;
  const method = millraceMethod(call, cells);
  if (method === undefined || !SINK_VERBS.has(method)) return false;
  const owner = cells.checker.getResolvedSignature(call)!.declaration!.parent as ts.ClassDeclaration;
  return owner.name?.text === "StreamFrame";
}

/** What each unit does when it runs, besides declaring its names. Follows calls of functions that other units declare. */
export function effectsOf(
  cells: CellProgram,
  units: readonly Unit[],
  edges: readonly Edge[],
  modulesWithSinks: ReadonlySet<ts.SourceFile>,
): Effects {
  const now = { sinks: empty<SinkCall>(units), changes: empty<Change>(units) };
  const later = { sinks: empty<SinkCall>(units), changes: empty<Change>(units) };
  for (const unit of units) {
    const imported = importedFile(unit.statement, cells);
    for (const call of imported !== undefined && modulesWithSinks.has(imported) ? callsIn(imported) : []) {
      if (!isSinkCall(call, cells) || isDeferred(call, imported!)) continue;
      const module = (unit.statement as ts.ImportDeclaration).moduleSpecifier.getText();
      now.sinks[unit.index]!.push({ unit: unit.index, call, label: `${sinkLabel(call)} of ${module}` });
    }
    for (const call of callsIn(unit.node)) {
      const fromModule = importedFunctionFile(call, cells);
      const declaresSink = isSinkCall(call, cells) || (fromModule !== undefined && modulesWithSinks.has(fromModule));
      if (!declaresSink) continue;
      const sink = { unit: unit.index, call, label: sinkLabel(call) };
      (isDeferred(call, unit.node) ? later : now).sinks[unit.index]!.push(sink);
    }
  }
  for (const edge of edges) {
    const changes = (edge.deferred ? later : now).changes[edge.from]!;
    const base = { unit: edge.from, of: edge.to, name: edge.name, node: edge.node };
    if (edge.kind === "write") changes.push({ ...base, kind: "write", depth: 0, how: statementText(edge.node) });
    for (const { depth, how } of edge.mutations) changes.push({ ...base, kind: "mutation", depth, how });
  }
  const calls = calledUnits(cells, units);
  const sharings = sharingsOf(edges);
  for (const changes of [...now.changes, ...later.changes]) underAllNames(changes, sharings);
  // What runs later in a function runs now in the unit that calls it; through any number of functions.
  for (let grew = true; grew; ) {
    grew = false;
    for (const edge of [...edges, ...calls]) {
      if (edge.kind === "type") continue;
      const target = edge.deferred || !edge.called ? later : now;
      grew = add(target.sinks[edge.from]!, later.sinks[edge.to]!, (a, b) => a.call === b.call) || grew;
      const changes = later.changes[edge.to]!.map((change) => ({ ...change, unit: edge.from }));
      const own = changes.filter((change) => change.of !== edge.from);
      grew = add(target.changes[edge.from]!, own, sameChange) || grew;
    }
  }
  return now;
}

/** `inner`, known to unit `innerUnit`, is the value of `outer` at `depth`; changes less deep in `outer` than `least` are not shared. */
interface SharingOfUnits {
  readonly innerUnit: number;
  readonly inner: string;
  readonly outerUnit: number;
  readonly outer: string;
  readonly depth: number;
  readonly least: number;
}

function sharingsOf(edges: readonly Edge[]): SharingOfUnits[] {
  return edges.flatMap(({ to, name: outer, shared }) =>
    shared.map(({ unit, name, depth, least }) => ({
      innerUnit: unit,
      inner: name,
      outerUnit: to,
      outer,
      depth,
      least,
    })),
  );
}

/** A value changed under one name is changed under every name it goes by. Adds to `changes`. */
function underAllNames(changes: Change[], sharings: readonly SharingOfUnits[]): void {
  // grows while it is walked: names lead to further names
  for (const change of changes) {
    if (change.kind === "write" || Math.abs(change.depth) > 8) continue;
    for (const { innerUnit, inner, outerUnit, outer, depth, least } of sharings) {
      const up = change.depth + depth;
      if (change.of === innerUnit && change.name === inner && up >= Math.max(1, least))
        addChange(changes, { ...change, of: outerUnit, name: outer, depth: up });
      const down = change.depth - depth;
      if (change.of === outerUnit && change.name === outer && down >= 1 && change.depth >= least)
        addChange(changes, { ...change, of: innerUnit, name: inner, depth: down });
    }
  }
}

const addChange = (changes: Change[], change: Change) => void add(changes, [change], sameChange);

const sameChange = (a: Change, b: Change) =>
  a.node === b.node && a.of === b.of && a.name === b.name && a.depth === b.depth && a.how === b.how;

const empty = <T>(units: readonly Unit[]): T[][] => units.map(() => []);

function add<T>(to: T[], from: readonly T[], same: (a: T, b: T) => boolean): boolean {
  const fresh = from.filter((item) => !to.some((known) => same(known, item)));
  to.push(...fresh);
  return fresh.length > 0;
}

/** Like an edge, to the unit that declares what a call runs: the method of an object has no name of its own in the cells. */
type Called = Pick<Edge, "from" | "to" | "kind" | "deferred" | "called">;

function calledUnits(cells: CellProgram, units: readonly Unit[]): Called[] {
  const unitOf = unitFinder(units);
  const isCell = (node: ts.Node) => cells.files.some(({ sourceFile }) => sourceFile === node.getSourceFile());
  const called: Called[] = [];
  for (const unit of units)
    for (const call of callsIn(unit.node)) {
      if (ts.isIdentifier(call.expression)) continue; // an edge of its own
      const declaration = cells.checker.getResolvedSignature(call)?.declaration;
      const to = declaration !== undefined && isCell(declaration) ? unitOf(declaration) : undefined;
      if (to === undefined || to === unit) continue;
      const deferred = isDeferred(call, unit.node);
      called.push({ from: unit.index, to: to.index, kind: "read", deferred, called: true });
    }
  return called;
}

export function callsIn(root: ts.Node): ts.CallExpression[] {
  const calls: ts.CallExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) calls.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return calls;
}

/** The local module an import leads to. */
function importedFile(statement: ts.Statement, cells: CellProgram): ts.SourceFile | undefined {
  if (!ts.isImportDeclaration(statement)) return undefined;
  const declaration = cells.checker.getSymbolAtLocation(statement.moduleSpecifier)?.valueDeclaration;
  if (declaration !== undefined) return ts.isSourceFile(declaration) ? declaration : undefined;
  // one that exports nothing has no symbol
  const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
  if (!specifier.startsWith(".")) return undefined;
  return cells.program.getSourceFile(path.resolve(path.dirname(statement.getSourceFile().fileName), specifier));
}

/** The local module a called function is declared in. */
function importedFunctionFile(call: ts.CallExpression, cells: CellProgram): ts.SourceFile | undefined {
  const file = cells.checker.getResolvedSignature(call)?.declaration?.getSourceFile();
  if (file === undefined || cells.files.some((cell) => cell.sourceFile === file)) return undefined;
  return file;
}

/** Local modules (not packages) in which a frame is written somewhere: calling their functions may declare a sink. */
export function modulesWithSinks(cells: CellProgram): Set<ts.SourceFile> {
  const isLocal = (file: ts.SourceFile) =>
    !file.isDeclarationFile &&
    !file.fileName.includes("/node_modules/") &&
    !cells.isMillrace(file) &&
    !cells.files.some((cell) => cell.sourceFile === file);
  const local = cells.program.getSourceFiles().filter(isLocal);
  return new Set(local.filter((file) => callsIn(file).some((call) => isSinkCall(call, cells))));
}

function sinkLabel(call: ts.CallExpression): string {
  const callee = call.expression;
  const [topic] = call.arguments;
  const name = ts.isPropertyAccessExpression(callee) ? `.${callee.name.text}` : callee.getText();
  return `${name}(${topic === undefined ? "" : topic.getText()})`;
}

function statementText(node: ts.Node): string {
  let at = node;
  while (!ts.isStatement(at) && !ts.isCallExpression(at) && at.parent !== undefined) at = at.parent;
  const text = at.getText().replace(/\s+/g, " ").replace(/;$/, "");
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
