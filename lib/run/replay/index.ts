export { compareRows, type Difference, type SinkRow } from "./compare-rows.ts";
export { type ReplayOptions, type ReplayReport, replay, type SinkReplay } from "./replay.ts";
