import { Refusal } from "../../lib/error.ts";
import { type PlanNode, sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import type { SourceNode } from "../../lib/plan/nodes/source-node.ts";
import type { Ranges } from "./recorded.ts";

/**
 * The ranges a warm job takes into its state: all that the notebook read of its sources, in whichever cells. What their records make together counts as seen.
 * @throws {Refusal} `NOTHING_TO_WARM` without a journal of reads of each source
 */
export function warmRanges(sinks: readonly PlanNode[], reads: Ranges): Ranges {
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
