/** The proof that a promoted job does what its notebook did; for the job's own `main.test.ts` and `millrace replay`. */
export { compareRows, type Difference, type SinkRow } from "./run/replay/compare-rows.ts";
export { type ReplayOptions, type ReplayReport, replay, type SinkReplay } from "./run/replay/replay.ts";
