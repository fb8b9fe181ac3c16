import { Fetcher } from "../../log/index.ts";
import type { WorkerContext } from "./worker.ts";

/** Answers large enough that what a batch costs whatever its size is shared by the rows of many records. */
const LARGE = { maxBytes: 32 * 2 ** 20, partitionMaxBytes: 16 * 2 ** 20 };

/** Reads the sources of a job. */
export function jobFetcher({ cluster, plan, topics }: Pick<WorkerContext, "cluster" | "plan" | "topics">): Fetcher {
  const arrow = plan.inputs.filter(({ source }) => source.node.format === "arrow");
  return new Fetcher(cluster, {
    isolation: "read_committed",
    headers: true,
    newlines: "keep",
    // numbers that are read where they lie
    aligned: (topic) => arrow.some(({ source }) => topics.bySource.get(source.id)?.includes(topic)),
    ...(arrow.length > 0 && LARGE),
  });
}
