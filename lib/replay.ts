/** The proof that a promoted job does what its notebook did; for the job's own `main.test.ts` and `millrace replay`. */
import { afterFastObjects } from "./polars/after-fast-objects.ts";
import type * as Replay from "./run/replay/index.ts";

export const { compareRows, replay } = afterFastObjects<typeof Replay>(import.meta.url, "./run/replay/index");
export type { Difference, ReplayOptions, ReplayReport, SinkReplay, SinkRow } from "./run/replay/index.ts";
