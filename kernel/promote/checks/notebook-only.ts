import ts from "typescript";
import type { CellProgram } from "../cell-program.ts";
import { callsIn, isRead, millraceMethod, READING_VERBS } from "../effects.ts";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";
import type { Unit } from "../unit.ts";

/** What only a notebook can do, in statements the job needs. */
export function notebookOnlyProblems({ cells, units, kept, edges, effects }: Slice): Problem[] {
  const problems = units.filter((unit) => unit.wish !== "skip").flatMap((unit) => untypedSinks(unit, cells));
  for (const unit of units) {
    if (!kept.has(unit.index)) continue;
    const collected = (node: ts.Node, what: string) =>
      problems.push(problemAt(unit.cell, node.getStart(), { code: "COLLECTED_IN_SLICE", what, remedies: REMEDIES }));
    for (const query of queriesIn(unit.node, cells))
      collected(query, "sql`…` reads in the notebook, and a sink depends on what it answered then.");
    const isUsed = () => edges.some((edge) => edge.to === unit.index && kept.has(edge.from));
    for (const call of callsIn(unit.node)) {
      const method = millraceMethod(call, cells) ?? untypedRead(call, cells);
      if (method !== undefined && (READING_VERBS.has(method) || (method === "run" && isUsed())))
        collected(call, `.${method}() runs in the notebook, and a sink depends on what it returned then.`);
    }
    const visit = (node: ts.Node): void => {
      if (!ts.isCallExpression(node) && isRead(node, cells))
        collected(node, `${node.getText()} reads in the notebook, and a sink depends on what it gives.`);
      ts.forEachChild(node, visit);
    };
    visit(unit.node);
    for (const { node } of effects.moduleReads.filter((read) => read.unit === unit.index))
      collected(node, "The module reads a topic here, as a notebook does, and a sink depends on what it read.");
  }
  return problems;
}

const REMEDIES = [
  "freeze it: write the data to a file beside the notebook and read that",
  "compute it in the frame, so that the job computes it, too",
];

/** Where the type before it is any, what is called like that may be a frame's. */
function untypedRead(call: ts.CallExpression, cells: CellProgram): string | undefined {
  const callee = call.expression;
  if (!ts.isPropertyAccessExpression(callee) || !READING_VERBS.has(callee.name.text)) return undefined;
  return isAny(callee.expression, cells) ? callee.name.text : undefined;
}

const isAny = (node: ts.Node, cells: CellProgram) =>
  (cells.checker.getTypeAtLocation(node).flags & ts.TypeFlags.Any) !== 0;

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
    .filter((call) => looksLikeSink(call) && isAny(receiver(call), cells))
    .map((call) =>
      problemAt(unit.cell, call.getStart(), {
        code: "TYPE_ERROR",
        what: `${call.getText().slice(0, 60)} may be a sink, but the type before .to is any.`,
        remedies: ["let the type be inferred from topic(…), or correct the type errors before it", "tag the cell skip"],
      }),
    );
}
