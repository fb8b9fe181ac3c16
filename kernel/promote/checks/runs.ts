import { type CodeCell, sha256 } from "../notebook.ts";
import { type Problem, problemAt } from "../problem.ts";

/**
 * Holds the cells of the slice against what is known of their executions: the journal (`metadata.millrace`), else execution counts.
 * A notebook that never ran has nothing to contradict.
 */
export function runProblems(sliceCells: readonly CodeCell[], allCells: readonly CodeCell[]): Problem[] {
  if (!allCells.some((cell) => hasRun(cell))) return [];
  const problems: Problem[] = [];
  let newest: CodeCell | undefined; // of those above: the one whose source is the newest
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
    if (newest !== undefined && ranBefore(cell, newest)) {
      const [before, after] = [
        `cell ${newest.number} as [${newest.executionCount}]`,
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
    if (newest === undefined || isNewer(cell, newest)) newest = cell;
  }
  return problems;
}

export const hasRun = (cell: CodeCell) => cell.executionCount !== null || cell.execution !== undefined;

/** When a cell's source ran first and last: what ran once more, unchanged, is not newer for it. */
interface When {
  readonly first: number;
  readonly last: number;
}

const when = (last: number, first = last): When => ({ first, last });

/** Of two cells, by the same clock: the executions of their session, or what the notebook shows as `[5]`. */
function whenBoth(a: CodeCell, b: CodeCell): readonly [When, When] {
  const [one, other] = [a.execution, b.execution];
  if (one !== undefined && one.session === other?.session)
    return [when(one.seq, one.since), when(other.seq, other.since)];
  return [when(a.executionCount ?? 0), when(b.executionCount ?? 0)];
}

/** Had `a` run for the last time before what `b` is now ran at all? */
export function ranBefore(a: CodeCell, b: CodeCell): boolean {
  const [one, other] = whenBoth(a, b);
  return one.last < other.first;
}

function isNewer(a: CodeCell, b: CodeCell): boolean {
  const [one, other] = whenBoth(a, b);
  return one.first > other.first;
}

const firstCode = (cell: CodeCell) => Math.max(0, cell.source.search(/\S/));
