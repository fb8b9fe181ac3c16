/**
 * What the jobs of drills compute. `apart`: each record by itself and with those of one topic and key. `joined`: topics that are read in one
 * order, and a table. `placed`: rows placed by another key, which go through a topic between workers. `all`: windows, joins and rows placed anew in one
 * job, and windows over what met, placed anew.
 *
 * A live job waits only a second for a topic that has no more than others it is read in one order with, and what it then sends on is not in one
 * order any more. In `all` the readings beside the input never go ahead of it, so it is not the input that is not waited for: all that comes of it
 * alone is certain to the row. Of what met, which pairs there are is certain, and what their windows hold in the end.
 */
export const DRILL_PLANS = {
  apart: ["stateless", "delta", "windows", "sessions", "halves"],
  joined: ["delta", "pairs", "models"],
  placed: ["delta", "anew", "anew-windows"],
  all: ["pairs-anew", "delta", "windows", "sessions", "halves", "pairs", "models", "anew", "anew-windows"],
} as const satisfies Record<string, readonly string[]>;

export type DrillPlans = keyof typeof DRILL_PLANS;
