import { type Cluster, Fetcher } from "../../log/index.ts";
import type { JobPlan } from "./job-plan.ts";

/** Numbers that are read where they lie, and answers large enough that what a batch costs whatever its size is shared by many rows. */
const PACKED = { aligned: true, maxBytes: 32 * 2 ** 20, partitionMaxBytes: 16 * 2 ** 20 };

/** Reads the sources of a job. */
export function jobFetcher(cluster: Cluster, { inputs }: Pick<JobPlan, "inputs">): Fetcher {
  const packed = inputs.some(({ source }) => source.node.format === "arrow");
  return new Fetcher(cluster, {
    isolation: "read_committed",
    headers: true,
    newlines: "keep",
    ...(packed && PACKED),
  });
}
