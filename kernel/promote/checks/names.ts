import ts from "typescript";
import { importBindings } from "../declared-names.ts";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";
import type { Unit } from "../unit.ts";

/** One meaning per name: declared once, in a cell above its use, changed only where it is declared. */
export function nameProblems(slice: Slice): Problem[] {
  return [...definedTwice(slice), ...fromSkippedCells(slice), ...usedTooEarly(slice), ...changedElsewhere(slice)];
}

function definedTwice({ units, kept, usedImports }: Slice): Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, Unit>();
  for (const unit of units) {
    if (!kept.has(unit.index)) continue;
    const names = ts.isImportDeclaration(unit.statement) ? [...(usedImports.get(unit.index) ?? [])] : unit.names;
    for (const name of names) {
      const earlier = first.get(name);
      first.set(name, earlier ?? unit);
      if (earlier === undefined || earlier.cell === unit.cell || sameImport(earlier, unit, name)) continue;
      problems.push(
        problemAt(unit.cell, unit.node.getStart(), {
          code: "DEFINED_TWICE",
          what: `${name} is defined in cell ${earlier.cell.number} and again here; the job needs both.`,
          remedies: ["give one of them another name", "remove the definition that is no longer meant"],
        }),
      );
    }
  }
  return problems;
}

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
