import ts from "typescript";
import type { CellProgram } from "../cell-program.ts";
import { callsIn, millraceMethod } from "../effects.ts";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";
import type { Unit } from "../unit.ts";

const READING = new Set(["collect", "live", "plot", "batches"]);

/** What only a notebook can do, in statements the job needs. */
export function notebookOnlyProblems({ cells, units, kept, edges }: Slice): Problem[] {
  const problems = units.filter((unit) => unit.wish !== "skip").flatMap((unit) => untypedSinks(unit, cells));
  for (const unit of units) {
    if (!kept.has(unit.index)) continue;
    for (const query of queriesIn(unit.node, cells))
      problems.push(
        problemAt(unit.cell, query.getStart(), {
          code: "COLLECTED_IN_SLICE",
          what: "sql`…` reads in the notebook, and a sink depends on what it answered then.",
          remedies: [
            "write the data to a file beside the notebook and read that",
            "compute it in the frame, so that the job computes it, too",
          ],
        }),
      );
    for (const call of callsIn(unit.node)) {
      const method = millraceMethod(call, cells);
      const isUsed = () => edges.some((edge) => edge.to === unit.index && kept.has(edge.from));
      if (method !== undefined && (READING.has(method) || (method === "run" && isUsed()))) {
        problems.push(
          problemAt(unit.cell, call.getStart(), {
            code: "COLLECTED_IN_SLICE",
            what: `.${method}() runs in the notebook, and a sink depends on what it returned then.`,
            remedies: [
              "write the data to a file beside the notebook and read that",
              "compute it in the frame, so that the job computes it, too",
            ],
          }),
        );
      }
    }
  }
  return problems;
}

/** Templates after `sql`, by the type of the tag. */
function queriesIn(root: ts.Node, cells: CellProgram): ts.TaggedTemplateExpression[] {
  const found: ts.TaggedTemplateExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTaggedTemplateExpression(node)) {
      const type = cells.checker.getTypeAtLocation(node.tag);
      const declaration = (type.aliasSymbol ?? type.symbol)?.declarations?.[0];
      const name = (type.aliasSymbol ?? type.symbol)?.name;
      if (declaration && (name === "Sql" || name === "SqlTag") && cells.isMillrace(declaration)) found.push(node);
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

const looksLikeSink = (call: ts.CallExpression) =>
  ts.isPropertyAccessExpression(call.expression) && call.expression.name.text === "to";

const receiver = (call: ts.CallExpression) => (call.expression as ts.PropertyAccessExpression).expression;

/** A sink is known by its type. Where there is none, leaving it out silently would lose output. */
function untypedSinks(unit: Unit, cells: CellProgram): Problem[] {
  return callsIn(unit.node)
    .filter(
      (call) => looksLikeSink(call) && (cells.checker.getTypeAtLocation(receiver(call)).flags & ts.TypeFlags.Any) !== 0,
    )
    .map((call) =>
      problemAt(unit.cell, call.getStart(), {
        code: "TYPE_ERROR",
        what: `${call.getText().slice(0, 60)} may be a sink, but the type before .to is any.`,
        remedies: ["let the type be inferred from topic(…), or correct the type errors before it", "tag the cell skip"],
      }),
    );
}
