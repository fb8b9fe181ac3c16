import { type CodeCell, sha256 } from "../notebook.ts";
import { type Problem, problemAt } from "../problem.ts";

/**
 * Holds the cells of the slice against what is known of their executions: the journal (`metadata.millrace`), else execution counts.
 * A notebook that never ran has nothing to contradict.
 */
export function runProblems(sliceCells: readonly CodeCell[], allCells: readonly CodeCell[]): Problem[] {
  if (!allCells.some((cell) => hasRun(cell))) return [];
  const problems: Problem[] = [];
  let last: CodeCell | undefined;
  for (const cell of sliceCells) {
    const { execution } = cell;
    if (!hasRun(cell)) {
      problems.push(
        problemAt(cell, firstCode(cell), {
          code: "NOT_RUN",
          what: "This cell never ran, although others did.",
          remedies: ["run all cells and save", "millrace run NOTEBOOK"],
        }),
      );
      continue;
    }
    if (execution !== undefined && execution.sha256 !== sha256(cell.source)) {
      problems.push(
        problemAt(cell, firstCode(cell), {
          code: "EDITED_SINCE_RUN",
          what: "This cell was edited since it ran: what was seen is not what would be promoted.",
          remedies: ["run it again, and the cells after it, and save"],
        }),
      );
    } else if (execution?.ok === false) {
      problems.push(
        problemAt(cell, firstCode(cell), {
          code: "FAILED_WHEN_RUN",
          what: "This cell threw when it last ran.",
          remedies: ["repair it, run it again and save"],
        }),
      );
    }
    if (last !== undefined && ranBefore(cell, last)) {
      const [before, after] = [
        `cell ${last.number} as [${last.executionCount}]`,
        `this one as [${cell.executionCount}]`,
      ];
      problems.push(
        problemAt(cell, firstCode(cell), {
          code: "OUT_OF_ORDER",
          what: `Cells ran out of order: ${before}, ${after}, though it stands below. A job runs them from top to bottom.`,
          remedies: ["restart the kernel, run all cells and save", "move the cells into the order in which they ran"],
        }),
      );
    }
    last = cell;
  }
  return problems;
}

const hasRun = (cell: CodeCell) => cell.executionCount !== null || cell.execution !== undefined;

function ranBefore(a: CodeCell, b: CodeCell): boolean {
  const [first, second] = [a.execution, b.execution];
  if (first !== undefined && second !== undefined && first.session === second.session) return first.seq < second.seq;
  return (a.executionCount ?? 0) < (b.executionCount ?? 0);
}

const firstCode = (cell: CodeCell) => Math.max(0, cell.source.search(/\S/));
