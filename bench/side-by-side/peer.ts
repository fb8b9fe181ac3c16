import type { WorkloadName } from "./workloads.ts";

/** One job to run: a workload over the input topic to an output topic of its own. */
export interface JobRun {
  readonly workload: WorkloadName;
  readonly guarantee: Guarantee;
  readonly servers: string;
  readonly input: string;
  readonly output: string;
  /** Messages in the input topic. */
  readonly count: number;
  /** Unique: group id, application id, job name. */
  readonly id: string;
  /** An empty folder for state. */
  readonly stateDir: string;
  /** Milliseconds between commits. */
  readonly commitInterval: number;
}

export const GUARANTEES = ["at-least-once", "exactly-once"] as const;
export type Guarantee = (typeof GUARANTEES)[number];

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A stream processor to be measured. Its process stops by itself, with exit code 0, once everything that was in the input topic at its
 * start is done and committed, and prints {@link PeerSummary} as the last line on stdout.
 */
export interface Peer {
  readonly name: string;
  /** With its version. */
  readonly title: string;
  /** Brings or builds what it needs; not measured. */
  prepare(progress: (line: string) => void): Promise<void>;
  command(run: JobRun): Command;
}

/** Seconds until the last commit. */
export interface PeerSummary {
  readonly rowsIn: number;
  /** From the first message. */
  readonly secondsSinceFirst: number;
  /** From the start of the process. */
  readonly secondsTotal: number;
}
