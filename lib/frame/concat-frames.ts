import { concatNodeOf } from "./concat.ts";
import { StreamFrame } from "./stream-frame.ts";

/**
 * The rows of several frames of the same columns as one frame, in the order of event time (the largest so far of each), ties in the order of the
 * arguments. Rows of one frame keep their order.
 * @throws Refusal `NO_FRAMES`, `SCHEMAS_DIFFER` naming the columns, `NO_EXACT_STREAMING_MEANING` (rows that are updates)
 * @example
 * concat(phones, tablets).groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" }).agg(pl.len().alias("n"))
 */
export function concat(...frames: readonly StreamFrame[]): StreamFrame {
  return new StreamFrame(concatNodeOf(frames));
}
