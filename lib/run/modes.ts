/** How a run of a plan treats the world around it. The plan and its operators are the same in every mode (law 2). */
export interface Mode {
  /**
   * Where reading starts if nothing is said. `recent`: one minute back, or the newest records where that is empty; `committed`: where the group stands,
   * else `MILLRACE_FROM`.
   */
  readonly start: { readonly bounded: "earliest" | "committed"; readonly unbounded: "recent" | "committed" };
  /** Whether a consumer group is joined, and offsets and state are committed. */
  readonly commits: boolean;
  /** When a sink writes to its topic: as often as its `.run()` is called, always, or never (its rows go to files). */
  readonly sinksWrite: "when run" | "always" | "never";
  /** Whether a missing output topic is created. */
  readonly createsTopics: boolean;
}

/** The whole difference between a notebook, a job and a replay of a job over its recorded samples. */
export const MODES = {
  notebook: {
    start: { bounded: "earliest", unbounded: "recent" },
    commits: false,
    sinksWrite: "when run",
    createsTopics: false,
  },
  job: {
    start: { bounded: "committed", unbounded: "committed" },
    commits: true,
    sinksWrite: "always",
    createsTopics: true,
  },
  replay: {
    start: { bounded: "earliest", unbounded: "committed" },
    commits: false,
    sinksWrite: "never",
    createsTopics: false,
  },
} as const satisfies Record<string, Mode>;
