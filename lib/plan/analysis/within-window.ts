import type { ExprTree } from "../tree.ts";
import { meaningOf } from "./meaning-of.ts";

/**
 * Methods that have an exact meaning over the rows of one window, which are all at hand when it closes and stand in the order in which they
 * came; over a stream they have none. Those of look-back and accumulation count within the window.
 */
export const WITHIN_A_WINDOW: ReadonlySet<string> = new Set(
  [
    "sort sortBy reverse rank argSort head tail slice gather gatherEvery shift shiftAndFill diff pctChange cumSum cumCount cumMax cumMin",
    "cumProd forwardFill backwardFill fillNull interpolate peakMax peakMin rollingMax rollingMean rollingMin rollingSum rollingStd",
    "rollingVar rollingMedian rollingQuantile rollingSkew ewmMean ewmStd ewmVar isDuplicated isUnique isFirstDistinct isIn dot",
  ].flatMap((names) => names.split(" ")),
);

/** Whether this call needs the rows of its window side by side: more than one value each, and more than parts of it. */
export function needsWholeWindow(tree: ExprTree): boolean {
  if (tree.kind !== "call" || !WITHIN_A_WINDOW.has(tree.fn)) return false;
  return meaningOf(tree).is !== "row-wise";
}
