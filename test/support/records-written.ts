import type { Cluster } from "../../lib/log/index.ts";

/** How many records a topic was given, those of open transactions too; markers at the ends of transactions count. */
export async function recordsWritten(cluster: Cluster, topic: string): Promise<number> {
  const ends = await cluster.listOffsets(topic, "latest", "read_uncommitted");
  return [...ends.values()].reduce((sum, end) => sum + end, 0);
}
