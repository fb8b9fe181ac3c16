import { Refusal } from "../../lib/error.ts";
import type { CodeCell } from "./notebook.ts";

/** Why a notebook is not promoted. Each can be overruled by `--allow CODE`, except NO_SINK and what leaves nothing to run. */
export const PROBLEM_CODES = {
  NO_SINK: "nothing is written: there is no sink",
  EDITED_SINCE_RUN: "a cell's source is not the source that ran",
  NOT_RUN: "a cell never ran, although the notebook did",
  FAILED_WHEN_RUN: "a cell threw when it last ran",
  OUT_OF_ORDER: "cells ran in another order than they stand",
  UNDECLARED_NAME: "a name no cell declares (any more)",
  SKIPPED_NAME: "a name declared in a cell tagged skip",
  DEFINED_TWICE: "one name declared by two cells",
  MUTATED_ACROSS_CELLS: "a value changed by another cell than the one that declares it",
  TYPE_ERROR: "the type checker disagrees",
  UNRESOLVED_IMPORT: "an import that cannot be found",
  UNPINNED_PACKAGE: "a package without a version to pin",
  NOT_ERASABLE: "syntax that Node cannot strip",
  COLLECTED_IN_SLICE: "data read in the notebook and used by the job",
  DISPLAY_IN_SLICE: "the job would need a notebook's display",
  ABSOLUTE_PATH: "a path of this machine",
  SECRET_LITERAL: "a secret in the source",
  NOT_BUILT: "a sink that jobs do not run yet",
  DIFFERENT_SINK: "a sink that is another program in the job than it was in the notebook",
  SHOWN_DIFFERS: "rows that a cell showed are not what the job makes of the same records",
  BAD_PARAMETER: "a parameter without a simple default",
  NO_SCHEMA: "a topic whose schema is not known",
} as const;

export type ProblemCode = keyof typeof PROBLEM_CODES;

/** One reason against promotion, at one place of the notebook. */
export interface Problem {
  readonly code: ProblemCode;
  readonly what: string;
  readonly remedies: readonly string[];
  readonly cell?: number;
  readonly cellId?: string;
  /** 1-based, within the cell. */
  readonly line?: number;
  /** The source line, as written. */
  readonly source?: string;
}

/** A problem at a position of a cell's source. */
export function problemAt(
  cell: CodeCell,
  position: number,
  problem: Omit<Problem, "cell" | "cellId" | "line" | "source">,
): Problem {
  const line = cell.source.slice(0, position).split("\n").length;
  const source = (cell.source.split("\n")[line - 1] ?? "").trim();
  return { ...problem, cell: cell.number, cellId: cell.id, line, source };
}

const NEVER_ALLOWED: readonly ProblemCode[] = ["NO_SINK", "NOT_ERASABLE", "SKIPPED_NAME", "NO_SCHEMA", "BAD_PARAMETER"];

/** Splits what was found into what stands in the way and what `--allow` lets through. Throws on an unknown code. */
export function judge(
  problems: readonly Problem[],
  allow: readonly string[],
): { refused: Problem[]; allowed: Problem[] } {
  for (const code of allow) {
    if (!(code in PROBLEM_CODES) || NEVER_ALLOWED.includes(code as ProblemCode)) {
      const known = Object.keys(PROBLEM_CODES).filter((name) => !NEVER_ALLOWED.includes(name as ProblemCode));
      throw new Refusal({
        code: "UNKNOWN_ALLOW",
        what: `--allow ${code}: ${code in PROBLEM_CODES ? "this rule cannot be overruled" : "there is no such rule"}.`,
        remedies: [`one of ${known.join(", ")}`],
      });
    }
  }
  const isAllowed = (problem: Problem) => allow.includes(problem.code);
  return { refused: problems.filter((problem) => !isAllowed(problem)), allowed: problems.filter(isAllowed) };
}

/** The refusal of a promotion; its message shows every problem, its code is the first one's. */
export class PromotionRefusal extends Refusal {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], notebook: string) {
    const [first, ...rest] = problems as [Problem, ...Problem[]];
    const others = rest.map((problem) => `\n${describe(problem)}`);
    super({
      code: first.code,
      what: [
        `${notebook} is not promoted (${problems.length} ${problems.length === 1 ? "reason" : "reasons"}).`,
        describe(first),
        ...others,
      ].join("\n"),
    });
    this.problems = problems;
  }
}

function describe(problem: Problem): string {
  const lines = [`${problem.code}: ${problem.what}`];
  if (problem.cell !== undefined) lines.push(`  where: cell ${problem.cell} (${problem.cellId}), line ${problem.line}`);
  if (problem.source) lines.push(`    ${problem.line} | ${problem.source}`);
  lines.push(...problem.remedies.map((remedy, at) => `${at === 0 ? "  what to do: " : "          or: "}${remedy}`));
  if (!NEVER_ALLOWED.includes(problem.code)) lines.push(`          or: --allow ${problem.code}`);
  return lines.join("\n");
}
