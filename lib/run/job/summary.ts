import type { WorkerSpan } from "./worker.ts";

/** The last line of `--json`. */
export interface JobSummary {
  /** Source records processed. */
  readonly rowsIn: number;
  /** Records written. */
  readonly rowsOut: number;
  /** From the first fetch to the last commit. */
  readonly secondsSinceFirst: number;
  /** From the start of the (first) process to the last commit. */
  readonly secondsTotal: number;
}

/** What the workers of a machine did together. @param own the first worker's, of this process */
export function jobSummary(own: WorkerSpan, others: readonly WorkerSpan[]): JobSummary {
  const all = [own, ...others];
  const worked = all.filter(({ firstFetch }) => firstFetch !== undefined);
  const first = Math.min(...worked.map(({ firstFetch }) => firstFetch!));
  const last = Math.max(...(worked.length === 0 ? [own] : worked).map(({ lastCommit }) => lastCommit));
  const seconds = (from: number) => Math.max(0, Math.round(last - from) / 1000);
  return {
    rowsIn: all.reduce((sum, { rowsIn }) => sum + rowsIn, 0),
    rowsOut: all.reduce((sum, { rowsOut }) => sum + rowsOut, 0),
    secondsSinceFirst: worked.length === 0 ? 0 : seconds(first),
    secondsTotal: seconds(performance.timeOrigin),
  };
}
