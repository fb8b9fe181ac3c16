import ts from "typescript";
import { type CellProgram, checkCells } from "./cell-program.ts";
import { dependencies, type Edge, type EdgeKind } from "./dependencies.ts";
import {
  type Change,
  callsIn,
  type Effects,
  effectsOf,
  isRead,
  isSinkCall,
  isSinkMention,
  millraceMethod,
  READING_VERBS,
} from "./effects.ts";
import { globalChanges, mentionsName } from "./globals.ts";
import { localModules, moduleFile } from "./local-modules.ts";
import type { Notebook } from "./notebook.ts";
import { type Unit, unitsOf } from "./unit.ts";

/** Why a unit is part of the job. */
export type KeepReason =
  | { readonly kind: "sink"; readonly labels: readonly string[] }
  | { readonly kind: "tag"; readonly tag: "keep" | "setup" }
  | { readonly kind: "needed"; readonly by: number; readonly name: string; readonly edge: EdgeKind }
  /** It changes a value that a kept unit reads. */
  | { readonly kind: "changes"; readonly by: number; readonly name: string; readonly how: string };

export interface Slice {
  readonly cells: CellProgram;
  readonly units: readonly Unit[];
  readonly edges: readonly Edge[];
  readonly effects: Effects;
  /** Unit index -> why it is kept. */
  readonly kept: ReadonlyMap<number, KeepReason>;
  /** Unit index -> why it falls away. */
  readonly dropped: ReadonlyMap<number, string>;
  /** Of each kept import: the local names that kept units use (all of them where a tag keeps it). */
  readonly usedImports: ReadonlyMap<number, ReadonlySet<string>>;
  /** Changes of kept values by kept units. */
  readonly changes: readonly Change[];
}

/** The part of a notebook its sinks need: statements, backward from the sinks, through the type checker's view of names. */
export function sliceNotebook(notebook: Notebook): Slice {
  const cells = checkCells(notebook.cells, notebook.folder);
  const units = unitsOf(cells.files);
  const edges = dependencies(cells, units);
  const isSink = (node: ts.Node) =>
    (ts.isCallExpression(node) && isSinkCall(node, cells)) || isSinkMention(node, cells);
  const modules = localModules(cells, isSink, (node) => isRead(node, cells));
  const effects = effectsOf(cells, units, edges, modules);
  const kept = new Map<number, KeepReason>();
  const usedImports = new Map<number, Set<string>>();
  const changes = new Set<Change>();
  const globals = globalChanges(units);
  const queue: number[] = [];
  const keep = (index: number, reason: KeepReason): void => {
    if (kept.has(index) || units[index]!.wish === "skip") return;
    kept.set(index, reason);
    queue.push(index);
  };

  for (const unit of units) {
    const labels = effects.sinks[unit.index]!.map((sink) => sink.label);
    if (labels.length > 0) keep(unit.index, { kind: "sink", labels });
  }
  for (const unit of units) {
    if (unit.wish !== "keep" && unit.wish !== "setup") continue;
    keep(unit.index, { kind: "tag", tag: unit.wish });
    if (ts.isImportDeclaration(unit.statement)) usedImports.set(unit.index, new Set(unit.names));
  }
  for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
    for (const edge of edges) {
      if (edge.from !== index) continue;
      keep(edge.to, { kind: "needed", by: index, name: edge.name, edge: edge.kind });
      if (ts.isImportDeclaration(units[edge.to]!.statement)) {
        usedImports.set(edge.to, (usedImports.get(edge.to) ?? new Set()).add(edge.name));
      }
    }
    for (const change of relevantChanges()) {
      changes.add(change);
      keep(change.unit, { kind: "changes", by: change.of, name: change.name, how: change.how });
    }
    for (const { unit, name, how } of changesOfModulesReadBy(index))
      keep(unit, { kind: "changes", by: index, name, how });
    for (const { unit, target, name } of globals) {
      if (unit !== index && mentionsName(units[index]!, name))
        keep(unit, { kind: "changes", by: index, name: target, how: target });
    }
  }
  const dropped = new Map<number, string>();
  for (const unit of units) if (!kept.has(unit.index)) dropped.set(unit.index, whyDropped(unit, cells, effects));
  return { cells, units, edges, effects, kept, dropped, usedImports, changes: [...changes] };

  /** What cells change in the local modules that a unit uses, before it does or where it does so later. */
  function changesOfModulesReadBy(index: number): { unit: number; name: string; how: string }[] {
    return edges.flatMap(({ from, to, name, kind, deferred }) => {
      const { statement } = units[to]!;
      if (from !== index || kind === "type" || !ts.isImportDeclaration(statement)) return [];
      const file = moduleFile(statement.moduleSpecifier, cells.checker, cells.program);
      if (file === undefined || !modules.isLocal(file)) return [];
      const reach = modules.reach(file);
      return effects.moduleChanges
        .filter(
          ({ unit, files }) => unit !== index && (deferred || unit < index) && [...files].some((one) => reach.has(one)),
        )
        .map(({ unit, how }) => ({ unit, name, how }));
    });
  }

  /** A change matters when a kept unit reads the value after it, or reads it in a function that may run at any time. */
  function relevantChanges(): Change[] {
    return effects.changes
      .flat()
      .filter(
        (change) =>
          kept.has(change.of) &&
          edges.some(
            (edge) =>
              edge.to === change.of &&
              edge.name === change.name &&
              kept.has(edge.from) &&
              edge.from !== change.unit &&
              (edge.deferred || edge.from > change.unit),
          ),
      );
  }
}

function whyDropped(unit: Unit, cells: CellProgram, effects: Effects): string {
  const { statement } = unit;
  if (unit.wish === "skip") return "tagged skip";
  if (ts.isImportDeclaration(statement)) {
    return unit.names.length === 0
      ? "an import for its side effects; tag its cell setup or keep where the job needs it"
      : "nothing kept uses this import";
  }
  const methods = callsIn(unit.node).map((call) => ({ call, method: millraceMethod(call, cells) }));
  const called = new Set(methods.map(({ method }) => method));
  if (called.has("run")) return "runs a sink; in a job every sink runs";
  for (const verb of [...READING_VERBS, "explain"]) {
    if (called.has(verb)) return `looks at data in the notebook (.${verb}())`;
  }
  const text = unit.node.getText();
  if (/^(await\s+)?(display|console\.\w+)\s*\(/.test(text)) return "shows something in the notebook";
  if (unit.names.length > 0) return `nothing kept uses ${unit.names.join(", ")}`;
  const change = effects.changes[unit.index]![0];
  if (change !== undefined) return `changes ${change.name}, which nothing kept reads afterwards`;
  const isLast = ts.isExpressionStatement(statement) && lastOf(unit) === statement;
  if (isLast) return "the cell's last expression: shown, not needed";
  return methods.some(({ call }) => isSinkCall(call, cells)) ? "declares no sink by itself" : "no sink needs it";
}

function lastOf(unit: Unit): ts.Statement | undefined {
  const { sourceFile, length } = unit.file;
  return sourceFile.statements
    .filter((statement) => statement.getStart() < length && !ts.isEmptyStatement(statement))
    .at(-1);
}
