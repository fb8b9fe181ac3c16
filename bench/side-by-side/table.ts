import type { Measured } from "./measure.ts";
import type { Guarantee } from "./peer.ts";
import type { WorkloadName } from "./workloads.ts";

export interface Result {
  readonly workload: WorkloadName;
  readonly guarantee: Guarantee;
  readonly peer: string;
  /** Absent when the job failed or its output was wrong: then no figure counts. */
  readonly measured?: Measured;
  readonly failure?: string;
  /** Load of the machine just before the job (1 minute average). */
  readonly load: number;
}

/** The results as a Markdown table; ratios are against `reference` in the same workload and guarantee. */
export function resultTable(results: readonly Result[], count: number, reference: string): string {
  const rows = results.map((result) => {
    const head = [result.workload, result.guarantee, result.peer];
    if (result.measured === undefined)
      return [...head, `no figure: ${result.failure!.split("\n")[0]}`, "", "", "", "", ""];
    const base = results.find(
      ({ workload, guarantee, peer }) =>
        workload === result.workload && guarantee === result.guarantee && peer === reference,
    )?.measured;
    const { secondsSinceFirst, wallSeconds, cpuSeconds, peakBytes } = result.measured;
    const ratio = (of: (measured: Measured) => number) =>
      base === undefined ? "" : `${(of(base) / of(result.measured!)).toFixed(2)}x`;
    return [
      ...head,
      perSecond(count, secondsSinceFirst),
      ratio((measured) => measured.secondsSinceFirst),
      perSecond(count, wallSeconds),
      ratio((measured) => measured.wallSeconds),
      cpuSeconds.toFixed(1),
      `${Math.round(peakBytes / 2 ** 20)}`,
    ];
  });
  const titles = [
    "job",
    "guarantee",
    "peer",
    "msg/s since first",
    "ratio",
    "msg/s from process start",
    "ratio",
    "CPU s",
    "peak MiB",
  ];
  return markdown([titles, ...rows], 3);
}

const perSecond = (count: number, seconds: number) => `${Math.round(count / seconds / 1000).toLocaleString("en")},000`;

/** A Markdown table with columns padded to read well as text; from column `right` on, cells are aligned to the right. */
function markdown([head, ...rows]: string[][], right: number): string {
  const widths = head!.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => (i < right ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i < right ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head!), rule, ...rows.map(line)].join("\n");
}
