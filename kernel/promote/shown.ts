import { linesDigest, type ShownDigest } from "../../lib/run/replay/shown-digest.ts";
import { type CodeCell, type Notebook, sha256 } from "./notebook.ts";
import { type Problem, problemAt } from "./problem.ts";
import type { Ranges } from "./recorded.ts";

/** What a cell showed of the rows that a sink writes. */
export interface ShownRows extends ShownDigest {
  readonly topic: string;
  readonly ranges: Ranges;
  readonly cell: CodeCell;
}

/**
 * What the notebook's cells showed of their sinks' rows, by the journal: bounded reads of the very frame that a sink was declared of, with the parameters' defaults, in
 * cells that have not been edited since.
 */
export function shownRows({ cells }: Notebook): ShownRows[] {
  const topics = new Map<string, Set<string>>();
  for (const { execution } of cells)
    for (const { topic, plan } of execution?.sinks ?? []) {
      if (plan === undefined) continue;
      const name = `${execution!.session} ${plan}`;
      topics.set(name, (topics.get(name) ?? new Set()).add(topic));
    }
  return cells.flatMap((cell) => {
    const { execution } = cell;
    if (execution === undefined || execution.ok === false || execution.sha256 !== sha256(cell.source)) return [];
    return (execution.shown ?? [])
      .filter(({ given }) => Object.keys(given).length === 0)
      .flatMap(({ plan, ranges, rows, sha256 }) =>
        [...(topics.get(`${execution.session} ${plan}`) ?? [])].map((topic) => ({ topic, ranges, rows, sha256, cell })),
      );
  });
}

/** What a cell showed is not what the kept statements make of the same records. */
export const shownDiffers = ({ topic, cell, rows }: ShownRows, now: ShownDigest): Problem =>
  problemAt(cell, Math.max(0, cell.source.search(/\.collect\b/)), {
    code: "SHOWN_DIFFERS",
    what: `This cell showed ${rows} rows of what is written to "${topic}"; of the same records the kept statements make ${now.rows === rows ? "other ones" : `${now.rows}`}.`,
    remedies: [
      "run all cells from top to bottom and save; if it stays: a value that code closes over depends on the clock, on chance, or on a statement or file that is not the same any more",
      "make such a value a param(…), or tag the cell that sets it keep",
    ],
  });

/** Whether a cell showed rows of exactly the records that were recorded. */
export function isOfSamples(
  { ranges }: ShownRows,
  samples: Readonly<Record<string, { readonly ranges: Ranges[string] }>>,
): boolean {
  return Object.entries(samples).every(([topic, sample]) => sameRanges(ranges[topic] ?? {}, sample.ranges));
}

/** Equal ranges; an empty one is as good as none. */
export function sameRanges(a: Ranges[string], b: Ranges[string]): boolean {
  const filled = (ranges: Ranges[string]) =>
    Object.entries(ranges)
      .filter(([, [from, to]]) => to > from)
      .map(([partition, [from, to]]) => `${partition} ${from} ${to}`)
      .sort()
      .join();
  return filled(a) === filled(b);
}

export { linesDigest };
