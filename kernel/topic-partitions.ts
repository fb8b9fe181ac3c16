import type { Cluster } from "../lib/log/index.ts";

/** A partition and the offsets it holds: from `first` to before `end`. */
export interface TopicPartitionOffsets {
  readonly partition: number;
  readonly first: number;
  readonly end: number;
}

/** The partitions of a topic with their offsets as of now. */
export async function topicPartitions(cluster: Cluster, topic: string): Promise<TopicPartitionOffsets[]> {
  const [first, end] = await Promise.all([
    cluster.listOffsets(topic, "earliest"),
    cluster.listOffsets(topic, "latest"),
  ]);
  return [...end].map(([partition, end]) => ({ partition, first: first.get(partition)!, end }));
}
