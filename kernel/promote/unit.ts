import ts from "typescript";
import type { CellFile } from "./cell-program.ts";
import { boundNames, namesOf } from "./declared-names.ts";
import type { CodeCell } from "./notebook.ts";

/**
 * What a slice keeps or drops as a whole: one top-level statement of a cell, or one declaration of a statement with several
 * (`const a = 1, b = 2` is two units).
 */
export interface Unit {
  readonly index: number;
  readonly file: CellFile;
  readonly cell: CodeCell;
  readonly statement: ts.Statement;
  /** The part of the statement this unit stands for, where the statement has several declarations. */
  readonly declaration: ts.VariableDeclaration | undefined;
  /** `declaration ?? statement`. */
  readonly node: ts.Node;
  readonly names: readonly string[];
  /** Kept or left out because the analyst says so: a cell tag, or a comment `// @keep` or `// @skip` above the statement. */
  readonly wish: "keep" | "setup" | "skip" | undefined;
}

/** The units of all cells, in document order. */
export function unitsOf(files: readonly CellFile[]): Unit[] {
  const units: Unit[] = [];
  for (const file of files) {
    for (const statement of file.sourceFile.statements) {
      if (statement.getStart() >= file.length) break;
      if (ts.isEmptyStatement(statement)) continue;
      const base = { file, cell: file.cell, statement, wish: wishOf(file, statement) };
      const list = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [];
      if (list.length > 1) {
        for (const declaration of list) {
          const names = boundNames(declaration.name);
          units.push({ ...base, index: units.length, declaration, node: declaration, names });
        }
      } else {
        const names = namesOf(statement);
        units.push({ ...base, index: units.length, declaration: undefined, node: statement, names });
      }
    }
  }
  return units;
}

function wishOf(file: CellFile, statement: ts.Statement): Unit["wish"] {
  const comments = file.sourceFile.text.slice(statement.getFullStart(), statement.getStart());
  const comment = comments.match(/(?:\/\/|\*)\s*@(keep|skip)\b/)?.[1] as "keep" | "skip" | undefined;
  if (comment !== undefined) return comment;
  return (["skip", "keep", "setup"] as const).find((tag) => file.cell.tags.has(tag));
}

/** The unit that holds a node of a cell, or undefined for what is generated. */
export function unitFinder(units: readonly Unit[]): (node: ts.Node) => Unit | undefined {
  const byNode = new Map<ts.Node, Unit>(units.map((unit) => [unit.node, unit]));
  return (node) => {
    for (let at: ts.Node | undefined = node; at !== undefined; at = at.parent) {
      const unit = byNode.get(at);
      if (unit !== undefined) return unit;
    }
    return undefined;
  };
}
