import ts from "typescript";
import { isTolerated } from "../../language/compiler-options.ts";
import { enumAsObject } from "../erasable-enum.ts";
import { type Problem, type ProblemCode, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";

const UNDECLARED = new Set([2304, 2503, 2552, 18004]);
const UNRESOLVED = new Set([2307, 2792, 2882]);
const NOT_ERASABLE = new Set([1294]);
/** What the kernel lets run runs in a job, too; assignments to other cells' names are judged by name (MUTATED_ACROSS_CELLS). */
const isAccepted = (diagnostic: ts.Diagnostic) =>
  diagnostic.code === 2632 || (isTolerated(diagnostic) && !UNRESOLVED.has(diagnostic.code));

/** Globals the kernel gives to cells (kernel/language/globals.d.ts). */
const NOTEBOOK_GLOBALS = new Set(["display", "prompt", "confirm", "clearOutput", "cell", "comm"]);

/** What the type checker says about the statements that are kept; what it says about dropped ones does not matter. */
export function typeProblems(slice: Slice): Problem[] {
  const { cells, units, kept } = slice;
  const problems: Problem[] = [];
  for (const file of cells.files) {
    const own = units.filter((unit) => unit.file === file && kept.has(unit.index));
    if (own.length === 0) continue;
    const { program } = cells;
    const found = [
      ...program.getSyntacticDiagnostics(file.sourceFile),
      ...program.getSemanticDiagnostics(file.sourceFile),
    ];
    for (const diagnostic of found) {
      const { start = 0, code } = diagnostic;
      const unit = own.find(({ node }) => start >= node.getStart() && start <= node.getEnd());
      const inSlice = unit !== undefined;
      if (NOT_ERASABLE.has(code) && unit !== undefined && isEnum(unit.node, cells.checker)) continue;
      const isSyntax = code < 2000 && !NOT_ERASABLE.has(code) && start < file.length;
      if ((!inSlice && !isSyntax) || isAccepted(diagnostic)) continue;
      problems.push(problemAt(file.cell, start, problemOf(diagnostic)));
    }
    for (const unit of own) {
      const decorated = decoratorIn(unit.node);
      if (decorated === undefined) continue;
      const what = "Decorators are not JavaScript yet, and a job runs its source as it is (types stripped).";
      const remedies = ["call the function on the class instead of decorating it"];
      problems.push(problemAt(file.cell, decorated.getStart(), { code: "NOT_ERASABLE", what, remedies }));
    }
  }
  return problems;
}

/** An enum that is written as an object. */
const isEnum = (node: ts.Node, checker: ts.TypeChecker) =>
  ts.isEnumDeclaration(node) && enumAsObject(node, checker) !== undefined;

function problemOf(diagnostic: ts.Diagnostic): { code: ProblemCode; what: string; remedies: string[] } {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n    ");
  const name = message.match(/'([^']+)'/)?.[1] ?? "";
  if (UNDECLARED.has(diagnostic.code) && NOTEBOOK_GLOBALS.has(name)) {
    return {
      code: "DISPLAY_IN_SLICE",
      what: `${name} belongs to the notebook; a job has none, but a kept statement uses it.`,
      remedies: ["use it in a statement of its own, which falls away"],
    };
  }
  if (UNDECLARED.has(diagnostic.code)) {
    return {
      code: "UNDECLARED_NAME",
      what: `No cell declares ${name}. Was its cell deleted while the kernel still knew the name?`,
      remedies: [`declare ${name} in a cell above, run all cells and save`],
    };
  }
  if (UNRESOLVED.has(diagnostic.code)) {
    return {
      code: "UNRESOLVED_IMPORT",
      what: `The import of ${name} cannot be found from the notebook's folder.`,
      remedies: [
        name.startsWith(".") ? "check the path; the file extension belongs to it" : `npm install ${name} there`,
      ],
    };
  }
  if (NOT_ERASABLE.has(diagnostic.code)) {
    return {
      code: "NOT_ERASABLE",
      what: "Namespaces, parameter properties, <T>casts and enums of computed values are more than types; Node runs a job by stripping types only.",
      remedies: ["write an object with `as const` for an enum, plain fields in a class, `value as T` for a cast"],
    };
  }
  return {
    code: "TYPE_ERROR",
    what: `${message} (TS${diagnostic.code})`,
    remedies: ["correct it and run the cell again"],
  };
}

function decoratorIn(root: ts.Node): ts.Node | undefined {
  if (ts.isDecorator(root)) return root;
  return ts.forEachChild(root, decoratorIn);
}
