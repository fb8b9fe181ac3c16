import type { Cluster } from "../../lib/log/index.ts";

/**
 * The partition count of a topic; with `create` it is made with so many partitions if it is not there, keeping records of any age
 * (records with old timestamps would be deleted within minutes under the default retention).
 */
export async function ensureTopic(cluster: Cluster, topic: string, create?: number): Promise<number> {
  if (create !== undefined && !(await cluster.topics()).has(topic))
    await cluster.createTopic(topic, { partitions: create, config: { "retention.ms": "-1" } });
  return (await cluster.metadata([topic])).get(topic)!.partitions.length;
}
