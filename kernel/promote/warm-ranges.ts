import { Refusal } from "../../lib/error.ts";
import { type PlanNode, sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import type { Ranges } from "./recorded.ts";

/**
 * The ranges a warm job takes into its state: all that the notebook read of its source.
 * @throws {Refusal} `NOTHING_TO_WARM` without a journal of reads, `NOT_BUILT` for several sources
 */
export function warmRanges(sinks: readonly PlanNode[], reads: Ranges): Ranges {
  // plans that came as JSON share no objects: a source is known by its id
  const sources = [...new Map(sourcesOf(sinks).map((source) => [source.id, source])).values()];
  const [source, other] = sources;
  if (other !== undefined)
    throw new Refusal({
      code: "NOT_BUILT",
      what: `The job reads ${sources.length} sources; which of their records the notebook had seen together is not recorded yet.`,
      remedies: ["promote without --warm, and start with MILLRACE_FROM"],
    });
  const isRead = (topic: string) =>
    source!.topics.includes(topic) || (source!.pattern !== undefined && new RegExp(source!.pattern).test(topic));
  const ranges = Object.entries(reads).filter(([topic]) => isRead(topic));
  if (ranges.length === 0)
    throw new Refusal({
      code: "NOTHING_TO_WARM",
      what: "The notebook's journal knows of no read of the job's source, so there is no state to begin with.",
      remedies: ["run the notebook (millrace run NOTEBOOK) and promote again", "promote without --warm"],
    });
  return Object.fromEntries(ranges.sort(([a], [b]) => (a < b ? -1 : 1)));
}
