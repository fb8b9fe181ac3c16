import { Refusal } from "../../lib/error.ts";
import { type PlanNode, sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import type { SourceNode } from "../../lib/plan/nodes/source-node.ts";
import type { Ranges } from "./recorded.ts";

/**
 * The ranges a warm job takes into its state: all that the notebook read of its sources, in whichever cells. What their records make together counts as seen.
 * @param placesAnew rows of the plan go from task to task
 * @throws {Refusal} `NOTHING_TO_WARM` without a journal of reads of each source, `NOT_BUILT` for plans that place rows anew
 */
export function warmRanges(sinks: readonly PlanNode[], reads: Ranges, placesAnew: boolean): Ranges {
  if (placesAnew)
    throw new Refusal({
      code: "NOT_BUILT",
      what: "The job places rows anew by another key; those that are on their way where the notebook ended cannot be told from those before.",
      remedies: ["promote without --warm, and start with MILLRACE_FROM"],
    });
  const sources = sourcesOf(sinks);
  const isReadBy = (topic: string, { topics, pattern }: SourceNode) =>
    topics.includes(topic) || (pattern !== undefined && new RegExp(pattern).test(topic));
  const ranges = Object.entries(reads).filter(([topic]) => sources.some((source) => isReadBy(topic, source)));
  const unread = sources.filter((source) => !ranges.some(([topic]) => isReadBy(topic, source)));
  if (unread.length > 0)
    throw new Refusal({
      code: "NOTHING_TO_WARM",
      what: `The notebook's journal knows of no read of ${[...new Set(unread.map(({ topics, pattern }) => pattern ?? topics.join(", ")))].join(", ")}, so there is no state to begin with.`,
      remedies: ["run the notebook (millrace run NOTEBOOK) and promote again", "promote without --warm"],
    });
  return Object.fromEntries(ranges.sort(([a], [b]) => (a < b ? -1 : 1)));
}
