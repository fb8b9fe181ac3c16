import ts from "typescript";
import { callsIn, millraceMethod } from "./effects.ts";
import type { Needs } from "./modules.ts";
import type { ParameterSite } from "./parameters.ts";
import type { Slice } from "./slice.ts";
import type { Unit } from "./unit.ts";

/** Text between two positions of a cell, to be replaced. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The little that is rewritten in a kept unit: `.run()` of a sink goes, parameters become `param(…)`, moved files are named anew. */
export function editsOf(unit: Unit, slice: Slice, sites: readonly ParameterSite[], needs: Needs): Edit[] {
  return [
    ...runEdits(unit, slice),
    ...sites.flatMap(({ unit: of, literal, name }) =>
      of === unit && literal !== undefined
        ? [
            {
              start: literal.getStart(),
              end: literal.getEnd(),
              text: `param(${JSON.stringify(name)}, ${literal.getText()})`,
            },
          ]
        : [],
    ),
    ...renamedFiles(unit, needs),
  ];
}

export const runEdits = (unit: Unit, slice: Slice): Edit[] =>
  runCalls(unit, slice).flatMap(({ call, receiver }) => withoutRun(call, receiver));

/** `frame.to("x").run(…)` in a kept unit: in a job every sink runs, so only `frame.to("x")` stays. */
export function runCalls(unit: Unit, { cells }: Slice): { call: ts.CallExpression; receiver: ts.Expression }[] {
  return callsIn(unit.node)
    .filter((call) => ts.isPropertyAccessExpression(call.expression) && millraceMethod(call, cells) === "run")
    .map((call) => ({ call, receiver: (call.expression as ts.PropertyAccessExpression).expression }));
}

/** With it goes what is done with its report: `.run().then(…)`. */
function withoutRun(call: ts.CallExpression, receiver: ts.Expression): Edit[] {
  let outer: ts.Expression = call;
  while (
    ts.isPropertyAccessExpression(outer.parent) &&
    /^(then|catch|finally)$/.test(outer.parent.name.text) &&
    ts.isCallExpression(outer.parent.parent)
  )
    outer = outer.parent.parent;
  const edits = [{ start: receiver.getEnd(), end: outer.getEnd(), text: "" }];
  if (ts.isAwaitExpression(outer.parent))
    edits.push({ start: outer.parent.getStart(), end: call.getStart(), text: "" });
  return edits;
}

function renamedFiles(unit: Unit, needs: Needs): Edit[] {
  const edits: Edit[] = [];
  const visit = (node: ts.Node): void => {
    const to = ts.isStringLiteralLike(node) ? needs.rewritten.get(node.text) : undefined;
    if (to !== undefined) edits.push({ start: node.getStart(), end: node.getEnd(), text: JSON.stringify(to) });
    ts.forEachChild(node, visit);
  };
  visit(unit.node);
  return edits;
}

/** The text from `start` to `end` with the edits that lie in it. */
export function edited(text: string, start: number, end: number, edits: readonly Edit[]): string {
  let result = "";
  let at = start;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    if (edit.start < at || edit.end > end) continue;
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at, end);
}
