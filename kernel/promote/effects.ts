import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";
import { type Edge, isDeferred } from "./dependencies.ts";
import { type LocalModules, moduleFile } from "./local-modules.ts";
import { runsOf } from "./runs-of.ts";
import { type Unit, unitFinder } from "./unit.ts";

/** What declares a sink: `.to(…)`, `.toTable(…)`, `.toParquet(…)` of a frame, also by `.to.bind(…)` and the like, or what runs such a call. */
export interface SinkCall {
  readonly unit: number;
  readonly node: ts.Node;
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

/** Unit `unit` runs a function of a local module that changes the module's own variables. */
export interface ModuleChange {
  readonly unit: number;
  readonly files: ReadonlySet<ts.SourceFile>;
  readonly how: string;
}

export interface Effects {
  /** Per unit: the sinks declared when it runs, also through the functions it calls. */
  readonly sinks: readonly (readonly SinkCall[])[];
  /** Per unit: the changes made when it runs, also through the functions it calls. */
  readonly changes: readonly (readonly Change[])[];
  /** Units that run code of local modules which reads a frame, as a notebook does. */
  readonly moduleReads: readonly { readonly unit: number; readonly node: ts.Node }[];
  /** What units change in local modules when they run, also through the functions they call. */
  readonly moduleChanges: readonly ModuleChange[];
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
  return isOfFrame(cells.checker.getResolvedSignature(call)!.declaration!);
}

const isOfFrame = (method: ts.Node) => (method.parent as ts.ClassDeclaration).name?.text === "StreamFrame";

/** A sink verb that is mentioned without being called there: `frame.to.bind(frame)`, `const { to } = frame`. */
export const isSinkMention = (node: ts.Node, cells: CellProgram): boolean => isVerbMention(node, SINK_VERBS, cells);

/** What reads in the notebook, and gives what it read. */
export const READING_VERBS: ReadonlySet<string> = new Set(["collect", "live", "plot", "batches"]);

/** A frame is read here, or handed on by what reads it. */
export const isRead = (node: ts.Node, cells: CellProgram): boolean =>
  (ts.isCallExpression(node) && READING_VERBS.has(millraceMethod(node, cells) ?? "")) ||
  isVerbMention(node, READING_VERBS, cells);

function isVerbMention(node: ts.Node, verbs: ReadonlySet<string>, cells: CellProgram): boolean {
  let name: ts.Node;
  if (ts.isPropertyAccessExpression(node)) name = node.name;
  else if (ts.isElementAccessExpression(node)) name = node.argumentExpression;
  else if (ts.isBindingElement(node)) name = node.propertyName ?? node.name;
  else return false;
  if (!(ts.isIdentifier(name) || ts.isStringLiteralLike(name)) || !verbs.has(name.text)) return false;
  if (ts.isCallExpression(node.parent) && node.parent.expression === node) return false;
  const symbol = ts.isBindingElement(node)
    ? cells.checker.getTypeAtLocation(node.parent).getProperty(name.text)
    : cells.checker.getSymbolAtLocation(name);
  return (symbol?.declarations ?? []).some((declaration) => cells.isMillrace(declaration) && isOfFrame(declaration));
}

/** `frame.to.call(…)`, `frame.to.apply(…)`. */
const isRunByName = (node: ts.Node) =>
  ts.isPropertyAccessExpression(node.parent) &&
  /^(call|apply)$/.test(node.parent.name.text) &&
  ts.isCallExpression(node.parent.parent) &&
  node.parent.parent.expression === node.parent;

/** What each unit does when it runs, besides declaring its names. Follows calls of functions that other units declare. */
export function effectsOf(
  cells: CellProgram,
  units: readonly Unit[],
  edges: readonly Edge[],
  modules: LocalModules,
): Effects {
  const changesOfModules = () => empty<ModuleChange>(units);
  const now = { sinks: empty<SinkCall>(units), changes: empty<Change>(units), modules: changesOfModules() };
  const later = { sinks: empty<SinkCall>(units), changes: empty<Change>(units), modules: changesOfModules() };
  const moduleReads: { unit: number; node: ts.Node }[] = [];
  const sinksOfFiles = new Map<ts.SourceFile, readonly ts.CallExpression[]>();
  const sinksOf = (file: ts.SourceFile) => {
    const known = sinksOfFiles.get(file) ?? callsIn(file).filter((call) => isSinkCall(call, cells));
    sinksOfFiles.set(file, known);
    return known;
  };
  for (const unit of units) {
    const imported = importedFile(unit.statement, cells);
    for (const file of imported !== undefined && modules.isLocal(imported) ? modules.reach(imported) : []) {
      const module = (unit.statement as ts.ImportDeclaration).moduleSpecifier.getText();
      const runs = runsOf(file, cells).filter(({ declaration }) => modules.declaresSink(declaration));
      if (modules.readsWhenImported(file)) moduleReads.push({ unit: unit.index, node: unit.statement });
      for (const node of new Set<ts.Node>([...sinksOf(file), ...runs.map(({ node }) => node)]))
        if (!isDeferred(node, file))
          now.sinks[unit.index]!.push({ unit: unit.index, node, label: `${sinkLabel(node)} of ${module}` });
    }
    const found = new Map<ts.Node, string>();
    for (const call of callsIn(unit.node)) if (isSinkCall(call, cells)) found.set(call, sinkLabel(call));
    for (const { node, declaration } of runsOf(unit.node, cells)) {
      const file = declaration.getSourceFile();
      if (!modules.isLocal(file)) continue;
      if (modules.declaresSink(declaration) || (ts.isCallExpression(node) && sinksOf(file).length > 0))
        found.set(node, sinkLabel(node));
      if (modules.reads(declaration)) moduleReads.push({ unit: unit.index, node });
      const files = modules.changes(declaration);
      const change = { unit: unit.index, files, how: statementText(node) };
      if (files.size > 0) (isDeferred(node, unit.node) ? later : now).modules[unit.index]!.push(change);
    }
    for (const [node, label] of found)
      (isDeferred(node, unit.node) ? later : now).sinks[unit.index]!.push({ unit: unit.index, node, label });
    const visit = (node: ts.Node): void => {
      if (isSinkMention(node, cells)) {
        const runs = isRunByName(node) && !isDeferred(node, unit.node);
        (runs ? now : later).sinks[unit.index]!.push({ unit: unit.index, node, label: sinkLabel(node) });
      }
      ts.forEachChild(node, visit);
    };
    visit(unit.node);
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
      grew = add(target.sinks[edge.from]!, later.sinks[edge.to]!, (a, b) => a.node === b.node) || grew;
      const inModules = later.modules[edge.to]!.map((change) => ({ ...change, unit: edge.from }));
      grew = add(target.modules[edge.from]!, inModules, (a, b) => a.files === b.files && a.how === b.how) || grew;
      const changes = later.changes[edge.to]!.map((change) => ({ ...change, unit: edge.from }));
      const own = changes.filter((change) => change.of !== edge.from);
      grew = add(target.changes[edge.from]!, own, sameChange) || grew;
    }
  }
  return { sinks: now.sinks, changes: now.changes, moduleChanges: now.modules.flat(), moduleReads };
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

/** Like an edge, to the unit that declares what runs: the method of an object, or an element of an array, has no name of its own in the cells. */
type Called = Pick<Edge, "from" | "to" | "kind" | "deferred" | "called">;

function calledUnits(cells: CellProgram, units: readonly Unit[]): Called[] {
  const unitOf = unitFinder(units);
  const isCell = (node: ts.Node) => cells.files.some(({ sourceFile }) => sourceFile === node.getSourceFile());
  const called: Called[] = [];
  for (const unit of units)
    for (const { node, declaration } of runsOf(unit.node, cells)) {
      const to = isCell(declaration) ? unitOf(declaration) : undefined;
      if (to === undefined || to === unit) continue;
      const deferred = isDeferred(node, unit.node);
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
const importedFile = (statement: ts.Statement, { checker, program }: CellProgram): ts.SourceFile | undefined =>
  ts.isImportDeclaration(statement) ? moduleFile(statement.moduleSpecifier, checker, program) : undefined;

function sinkLabel(node: ts.Node): string {
  if (!ts.isCallExpression(node)) return statementText(node);
  const callee = node.expression;
  const [topic] = node.arguments;
  const name = ts.isPropertyAccessExpression(callee) ? `.${callee.name.text}` : callee.getText();
  return `${name}(${topic === undefined ? "" : topic.getText()})`;
}

function statementText(node: ts.Node): string {
  let at = node;
  while (!ts.isStatement(at) && !ts.isCallExpression(at) && at.parent !== undefined) at = at.parent;
  const text = at.getText().replace(/\s+/g, " ").replace(/;$/, "");
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
