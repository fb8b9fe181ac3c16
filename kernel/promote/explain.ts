import type { Analysis } from "./analyse.ts";
import { secretMask } from "./checks/literals.ts";
import { runCalls } from "./edits.ts";
import type { Problem } from "./problem.ts";
import type { Slice } from "./slice.ts";
import type { Unit } from "./unit.ts";

/** One statement (or one declaration of several) and what becomes of it. */
export interface ExplainedStatement {
  readonly cell: number;
  readonly cellId: string;
  /** What JupyterLab shows as `[5]`; null for a cell that never ran. */
  readonly executionCount: number | null;
  /** 1-based, within the cell. */
  readonly line: number;
  readonly source: string;
  readonly kept: boolean;
  /** E.g. `total ← perSecond ← sink .to("alerts")`. */
  readonly reason: string;
}

export interface Explanation {
  readonly notebook: string;
  readonly statements: readonly ExplainedStatement[];
  readonly problems: readonly Problem[];
}

/** What promotion keeps and drops of each statement, and why; in document order. */
export function explain({ notebook, slice, problems }: Analysis): Explanation {
  const statements = slice.units.map((unit) => ({
    cell: unit.cell.number,
    cellId: unit.cell.id,
    executionCount: unit.cell.executionCount,
    line: unit.cell.source.slice(0, unit.node.getStart()).split("\n").length,
    source: sourceOf(unit),
    kept: slice.kept.has(unit.index),
    reason: reasonOf(unit, slice),
  }));
  return { notebook: `${notebook.name}.ipynb`, statements, problems };
}

function sourceOf(unit: Unit): string {
  const text = unit.node.getText();
  const first = text.split("\n", 1)[0]!;
  // a dropped statement may hold a secret, and promotion.json goes along with the job
  return secretMask(unit.node)(first.length < text.length ? `${first.trimEnd()} …` : first);
}

function reasonOf(unit: Unit, slice: Slice): string {
  const reason = slice.kept.get(unit.index);
  if (reason === undefined) return slice.dropped.get(unit.index)!;
  const without = runCalls(unit, slice).length > 0 ? " (without .run(): a job runs every sink)" : "";
  return chain(unit, slice, new Set()) + without;
}

function chain(unit: Unit, slice: Slice, seen: Set<number>): string {
  const reason = slice.kept.get(unit.index)!;
  seen.add(unit.index);
  const place = `cell ${unit.cell.number}`;
  if (reason.kind === "sink") return `sink ${reason.labels.join(", ")} (${place})`;
  if (reason.kind === "tag") return `${place} is tagged ${reason.tag}`;
  const next = slice.units[reason.by]!;
  const rest = seen.has(next.index) ? "" : ` ← ${chain(next, slice, seen)}`;
  if (reason.kind === "changes") return `changes ${reason.name}${rest}`;
  return `${reason.name}${reason.edge === "type" ? " (type)" : ""}${rest}`;
}

/** `cell 3 [5] (id)`: third code cell, run as `[5]`. */
export const cellTitle = ({ cell, cellId, executionCount }: ExplainedStatement) =>
  `cell ${cell} [${executionCount ?? " "}] (${cellId})`;

/** As text for a terminal: a heading per cell, a `+` or `-` per statement. */
export function explanationText({ notebook, statements, problems }: Explanation): string {
  const lines = [`${notebook}: what its sinks need`];
  let cell: number | undefined;
  for (const statement of statements) {
    if (statement.cell !== cell) lines.push("", cellTitle(statement));
    cell = statement.cell;
    lines.push(`  ${statement.kept ? "+" : "-"} ${statement.line}: ${statement.source}`);
    lines.push(`       ${statement.kept ? "kept" : "dropped"}: ${statement.reason}`);
  }
  if (problems.length > 0) {
    lines.push("", `${problems.length} ${problems.length === 1 ? "reason" : "reasons"} against promotion:`);
    for (const problem of problems) {
      const where = problem.cell === undefined ? "" : ` (cell ${problem.cell}, line ${problem.line})`;
      lines.push(`  ${problem.code}: ${problem.what}${where}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
