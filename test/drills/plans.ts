/**
 * What the jobs of drills compute. `apart`: each record by itself and with those of one topic and key. `joined`: topics that are read in one
 * order, and a table. `placed`: rows placed by another key, which go through a topic between workers; on its own, because a live job waits
 * only a second for a topic that is slower than the others, and what it then sends on is not in one order any more.
 */
export const DRILL_PLANS = {
  apart: ["stateless", "delta", "windows", "sessions", "halves"],
  joined: ["delta", "pairs", "models"],
  placed: ["delta", "anew", "anew-windows"],
} as const satisfies Record<string, readonly string[]>;

export type DrillPlans = keyof typeof DRILL_PLANS;
