import { nodesOf } from "../../../lib/plan/nodes/plan-node.ts";
import type { SinkNode } from "../../../lib/plan/nodes/sink-node.ts";
import { cellsOf } from "../emit-main.ts";
import { type CodeCell, type Notebook, sha256 } from "../notebook.ts";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";

/**
 * Holds the sinks that the kept statements declare against those that the notebook's cells declared when they ran, by the ids of their plans, constants
 * included: what the slice has lost, and what differs from run to run, is found here, whatever the way it came about. Sinks with code in their plan, cells without a
 * journal, edited or skipped ones, and runs with other parameters than the defaults say nothing.
 */
export function sinkProblems(notebook: Notebook, slice: Slice, declared: readonly SinkNode[]): Problem[] {
  const ids = new Set(declared.map(({ id }) => id));
  const topics = new Set(declared.map(({ topic }) => topic));
  // the text of a function is not the same in a cell, which the kernel compiles, and in a file, whose types Node strips
  const opaque = new Set(declared.filter(holdsCode).map(({ topic }) => topic));
  const witnesses = notebook.cells.filter((cell) => isWitness(cell, slice));
  const problems: Problem[] = [];
  for (const cell of witnesses) {
    for (const { id, topic } of cell.execution!.sinks!) {
      if (ids.has(id) || opaque.has(topic)) continue;
      problems.push(
        topics.has(topic)
          ? different(cell, `The sink to "${topic}" that this cell declared when it ran`)
          : problemAt(cell, placeOf(cell, topic), {
              code: "DIFFERENT_SINK",
              what: `This cell declared a sink to "${topic}" when it ran; the kept statements declare none.`,
              remedies: [
                "write the sink in the cell itself, not in what it imports or evaluates",
                "tag the cell keep",
                "tag it skip",
              ],
            }),
      );
    }
  }
  if (problems.length > 0 || !cellsOf(slice).every((cell) => witnesses.includes(cell))) return problems;
  const known = new Set(witnesses.flatMap((cell) => cell.execution!.sinks!.map(({ id }) => id)));
  return declared
    .filter(({ id, topic }) => !known.has(id) && !opaque.has(topic))
    .map(({ topic }) => different(sinkCell(slice), `The sink to "${topic}"`));
}

/** A plan with the code of a `map`, `process` or `predict` in it. */
const holdsCode = (sink: SinkNode) => nodesOf([sink]).some((node) => node.kind !== "source" && "source" in node);

const different = (cell: CodeCell, which: string): Problem =>
  problemAt(cell, placeOf(cell), {
    code: "DIFFERENT_SINK",
    what: `${which} is another program when the kept statements run alone.`,
    remedies: [
      "run all cells from top to bottom and save; if it stays: a value depends on the clock, on chance, or on a statement that is not kept",
      "make such a value a param(…), or tag the cell that sets it keep",
    ],
  });

function isWitness(cell: CodeCell, slice: Slice): boolean {
  const { execution } = cell;
  if (execution?.sinks === undefined || execution.ok === false || execution.sha256 !== sha256(cell.source))
    return false;
  if (slice.units.some((unit) => unit.cell === cell && unit.wish === "skip")) return false;
  return execution.sinks.every(({ given }) => Object.keys(given).length === 0);
}

const sinkCell = (slice: Slice): CodeCell =>
  slice.units.find((unit) => slice.kept.get(unit.index)?.kind === "sink")!.cell;

const placeOf = (cell: CodeCell, topic?: string) =>
  Math.max(0, topic === undefined ? cell.source.search(/\.to\b/) : cell.source.indexOf(topic));
