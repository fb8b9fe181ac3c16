import ts from "typescript";
import { importBindings } from "../declared-names.ts";
import { isParameterCell } from "../parameters.ts";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";
import type { Unit } from "../unit.ts";
import { hasRun, ranBefore } from "./runs.ts";

/** One meaning per name: declared once, in a cell above its use, changed only where it is declared. */
export function nameProblems(slice: Slice): Problem[] {
  return [...definedTwice(slice), ...fromSkippedCells(slice), ...usedTooEarly(slice), ...changedElsewhere(slice)];
}

/** Of two definitions of what the job needs, a cell sees the one that ran last: which one that is depends on the order and on how often cells ran. */
function definedTwice({ units, kept, usedImports, edges }: Slice): Problem[] {
  const problems: Problem[] = [];
  const defining = new Map<string, Unit[]>();
  for (const unit of units)
    if (unit.wish !== "skip") for (const name of unit.names) defining.set(name, [...(defining.get(name) ?? []), unit]);
  for (const [name, all] of defining) {
    const needed = all.filter(({ index, statement }) =>
      ts.isImportDeclaration(statement) ? usedImports.get(index)?.has(name) : kept.has(index),
    );
    const [first] = needed;
    if (first === undefined) continue;
    const others = all.filter(
      (unit) =>
        unit.cell !== first.cell &&
        !sameImport(first, unit, name) &&
        !isInjected(first, unit) &&
        (needed.includes(unit) || mayBeMeant(unit, name)),
    );
    for (const unit of others) {
      const [one, other] = unit.index < first.index ? [unit, first] : [first, unit];
      const both = needed.includes(unit);
      problems.push(
        problemAt(other.cell, other.node.getStart(), {
          code: "DEFINED_TWICE",
          what: `${name} is defined in cell ${one.cell.number} and again here; ${both ? "the job needs both" : "which one a cell saw depends on what had run"}.`,
          remedies: ["give one of them another name", "remove the definition that is no longer meant"],
        }),
      );
    }
  }
  return problems;

  function runsBelow({ index, cell }: Unit): boolean {
    return units.some((other) => other.index > index && other.cell !== cell && kept.has(other.index));
  }

  /** A user of the name may have seen this definition: it stands above, it ran before, or the use is in a function, which runs later. */
  function mayBeMeant(unit: Unit, name: string): boolean {
    if (!hasRun(unit.cell) && units.some(({ cell }) => hasRun(cell))) return false;
    return edges.some((edge) => {
      const [user, provider] = [units[edge.from]!, units[edge.to]!];
      if (edge.name !== name || !kept.has(edge.from) || edge.kind === "type" || !provider.names.includes(name))
        return false;
      // a cell that defines what it uses has just done so
      const isOwn = provider.cell === user.cell;
      if (unit.index < user.index) return !isOwn && user.cell !== unit.cell;
      if (edge.deferred) return runsBelow(unit);
      return !isOwn && hasRun(unit.cell) && !ranBefore(user.cell, unit.cell);
    });
  }
}

/** What papermill injects is meant to take the place of the parameters. */
const isInjected = (a: Unit, b: Unit) =>
  isParameterCell(a.cell) && isParameterCell(b.cell) && [a, b].some(({ cell }) => cell.tags.has("injected-parameters"));

function sameImport(a: Unit, b: Unit, local: string): boolean {
  if (!ts.isImportDeclaration(a.statement) || !ts.isImportDeclaration(b.statement)) return false;
  if (a.statement.moduleSpecifier.getText().slice(1, -1) !== b.statement.moduleSpecifier.getText().slice(1, -1))
    return false;
  const imported = (unit: ts.ImportDeclaration) =>
    importBindings(unit).find((binding) => binding.local === local)?.imported;
  return imported(a.statement) === imported(b.statement);
}

function fromSkippedCells({ units, kept, edges }: Slice): Problem[] {
  return edges
    .filter((edge) => kept.has(edge.from) && units[edge.to]!.wish === "skip")
    .map((edge) =>
      problemAt(units[edge.from]!.cell, edge.node.getStart(), {
        code: "SKIPPED_NAME",
        what: `${edge.name} is declared in cell ${units[edge.to]!.cell.number}, which is tagged skip, but the job needs it.`,
        remedies: [`remove the tag from cell ${units[edge.to]!.cell.number}, or move the declaration out of it`],
      }),
    );
}

function usedTooEarly({ units, kept, edges }: Slice): Problem[] {
  const seen = new Set<string>();
  return edges
    .filter((edge) => {
      const [user, provider] = [units[edge.from]!, units[edge.to]!];
      const hoisted = ts.isImportDeclaration(provider.statement) || ts.isFunctionDeclaration(provider.statement);
      if (!kept.has(edge.from) || edge.deferred || edge.kind === "type" || hoisted) return false;
      if (provider.cell.number <= user.cell.number || seen.has(`${edge.from} ${edge.name}`)) return false;
      seen.add(`${edge.from} ${edge.name}`);
      return true;
    })
    .map((edge) =>
      problemAt(units[edge.from]!.cell, edge.node.getStart(), {
        code: "OUT_OF_ORDER",
        what: `${edge.name} is used here and declared further down, in cell ${units[edge.to]!.cell.number}. A job runs cells from top to bottom.`,
        remedies: [`move cell ${units[edge.to]!.cell.number} above this one, run all cells and save`],
      }),
    );
}

function changedElsewhere({ units, changes }: Slice): Problem[] {
  const seen = new Set<string>();
  return changes
    .filter((change) => {
      const place = `${change.node.getSourceFile().fileName} ${change.node.getStart()} ${change.name}`;
      if (units[change.of]!.cell === units[change.unit]!.cell || seen.has(place)) return false;
      seen.add(place);
      return true;
    })
    .map((change) => {
      const declared = units[change.of]!.cell.number;
      const does = change.kind === "write" ? "reassigns" : "may change";
      return problemAt(units[change.unit]!.cell, startWithin(units[change.unit]!, change.node), {
        code: "MUTATED_ACROSS_CELLS",
        what: `${change.how} ${does} ${change.name}, which cell ${declared} declares: its value depends on how often this cell ran.`,
        remedies: [`change it in cell ${declared}`, "make a new value under a new name instead"],
      });
    });
}

/** The change itself, or the call that leads to it when it is written in a function of another cell. */
const startWithin = (unit: Unit, node: ts.Node) =>
  node.getSourceFile() === unit.file.sourceFile ? node.getStart() : unit.node.getStart();
