import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";
import { callsIn, millraceMethod } from "./effects.ts";
import type { CodeCell } from "./notebook.ts";
import { type Problem, problemAt } from "./problem.ts";
import type { Unit } from "./unit.ts";

export type ParameterValue = string | number | boolean;

/** A value that a job takes from its environment or a flag. */
export interface Parameter {
  readonly name: string;
  readonly type: "string" | "number" | "boolean" | "date";
  readonly default: ParameterValue;
  readonly variable: string;
  readonly flag: string;
  readonly description?: string;
  readonly choices?: readonly ParameterValue[];
  readonly min?: number;
  readonly max?: number;
}

/** What the variables of a job may hold, as JSON Schema (draft 2020-12). */
export function parametersSchema(parameters: readonly Parameter[]): Record<string, unknown> {
  const properties = parameters.map(({ variable, type, default: value, description, choices, min, max }) => [
    variable,
    {
      ...(type === "date" ? { type: "string", format: "date-time" } : { type }),
      ...(description !== undefined && { description }),
      ...(choices !== undefined && { enum: choices }),
      ...(min !== undefined && { minimum: min }),
      ...(max !== undefined && { maximum: max }),
      default: value,
    },
  ]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: Object.fromEntries(properties),
  };
}

export interface ParameterSite extends Parameter {
  readonly unit: Unit;
  /** The literal in a cell tagged `parameters`, to be wrapped in `param(…)`; undefined where the notebook calls `param` itself. */
  readonly literal: ts.Expression | undefined;
}

export interface Parameters {
  readonly sites: readonly ParameterSite[];
  /** Names of `param(…)` calls whose default is computed: `new Date(…)`, `5 * 60`. */
  readonly computed: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** The parameters among these units: calls of `param` with a literal default (others are known once the cells have run), and the constants of cells tagged `parameters` (or `injected-parameters`, by papermill). */
export function findParameters(cells: CellProgram, units: readonly Unit[]): Parameters {
  const sites: ParameterSite[] = [];
  const computed = new Set<string>();
  const problems: Problem[] = [];
  for (const unit of units) {
    for (const call of callsIn(unit.node)) {
      if (millraceMethod(call, cells) !== "param") continue;
      const [name, fallback] = call.arguments;
      const value = fallback && literalValue(fallback);
      if (name === undefined || !ts.isStringLiteralLike(name)) continue;
      if (value === undefined) computed.add(name.text);
      else sites.push(site(unit, name.text, value, undefined));
    }
    if (!isParameterCell(unit.cell) || !ts.isVariableStatement(unit.statement)) continue;
    for (const declaration of declarationsOf(unit)) {
      const { initializer, name } = declaration;
      if (initializer !== undefined && callsIn(initializer).some((call) => millraceMethod(call, cells) === "param"))
        continue;
      const value = initializer && literalValue(initializer);
      if (ts.isIdentifier(name) && value !== undefined) sites.push(site(unit, name.text, value, initializer));
      else problems.push(notSimple(unit, declaration, declaration.name.getText()));
    }
  }
  return { sites, computed, problems };
}

export const isParameterCell = (cell: CodeCell) => cell.tags.has("parameters") || cell.tags.has("injected-parameters");

const declarationsOf = (unit: Unit) =>
  unit.declaration !== undefined
    ? [unit.declaration]
    : [...(unit.statement as ts.VariableStatement).declarationList.declarations];

function site(unit: Unit, name: string, value: ParameterValue, literal: ts.Expression | undefined): ParameterSite {
  const type = typeof value as Parameter["type"];
  return { name, type, default: value, ...parameterNames(name), unit, literal };
}

const notSimple = (unit: Unit, node: ts.Node, what: string) =>
  problemAt(unit.cell, node.getStart(), {
    code: "BAD_PARAMETER",
    what: `The parameter ${what} has no default that a flag could replace: a number, a string, true or false.`,
    remedies: ["give it a literal default", "declare it in a cell that is not tagged parameters"],
  });

/** The value of a literal, also behind a minus sign; undefined for any other expression. */
export function literalValue(node: ts.Expression): ParameterValue | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (ts.isPrefixUnaryExpression(node) && ts.isNumericLiteral(node.operand)) {
    if (node.operator === ts.SyntaxKind.MinusToken) return -Number(node.operand.text);
    if (node.operator === ts.SyntaxKind.PlusToken) return Number(node.operand.text);
  }
  return undefined;
}

/** `maxLag` as the library names it outside: `MAX_LAG` and `--max-lag`. */
export function parameterNames(name: string): { variable: string; flag: string } {
  const words = name.replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3_$2$4");
  return { variable: words.toUpperCase(), flag: `--${words.toLowerCase().replaceAll("_", "-")}` };
}
