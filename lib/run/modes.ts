/** How a run of a plan treats the world around it. The plan and its operators are the same in every mode (law 2). */
export interface Mode {
  /** Where a source without any other word starts. */
  readonly start: {
    readonly unbounded: "-1m" | "committed, else MILLRACE_FROM";
    readonly bounded: "earliest" | "committed, else MILLRACE_FROM";
  };
  /** How partitions are come by: by assignment of all, or as a member of the consumer group. */
  readonly partitions: "all" | "group" | "recorded";
  /** Whether offsets are committed, and with them state. */
  readonly commits: boolean;
  /** When sinks write: each time they are asked to (`.run()`), or always. */
  readonly sinks: "when run" | "always" | "to files";
  /** Where schemas come from that the program does not give. */
  readonly schema: "inferred" | "frozen";
  /** Whether a missing output topic is created. */
  readonly createsTopics: boolean;
  /** Where a bad record goes. */
  readonly badRecords: "error panel" | "dead-letter topic" | "counted";
}

/** The whole difference between a notebook, a job and a replay of a job over its recorded samples. */
export const MODES = {
  notebook: {
    start: { unbounded: "-1m", bounded: "earliest" },
    partitions: "all",
    commits: false,
    sinks: "when run",
    schema: "inferred",
    createsTopics: false,
    badRecords: "error panel",
  },
  job: {
    start: { unbounded: "committed, else MILLRACE_FROM", bounded: "committed, else MILLRACE_FROM" },
    partitions: "group",
    commits: true,
    sinks: "always",
    schema: "frozen",
    createsTopics: true,
    badRecords: "dead-letter topic",
  },
  replay: {
    start: { unbounded: "committed, else MILLRACE_FROM", bounded: "earliest" },
    partitions: "recorded",
    commits: false,
    sinks: "to files",
    schema: "frozen",
    createsTopics: false,
    badRecords: "counted",
  },
} as const satisfies Record<string, Mode>;
