import type { Cluster } from "./cluster.ts";
import type { TopicPartition } from "./columns.ts";
import { type FetchedPartition, Fetcher, type FetcherOptions } from "./fetcher.ts";

/** Records of a partition, from one offset to before another. */
export interface Range extends TopicPartition {
  readonly from: number;
  readonly to: number;
}

/**
 * Reads each of these ranges once, as the answers come; the last one of a partition may go on behind the end of its range. Values keep their newlines.
 * @throws {MillraceError} what a partition cannot be read for
 */
export async function* readRanges(
  cluster: Cluster,
  ranges: readonly Range[],
  options: Pick<FetcherOptions, "isolation" | "headers"> = {},
): AsyncGenerator<FetchedPartition> {
  const fetcher = new Fetcher(cluster, { ...options, newlines: "keep" });
  const name = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;
  const open = new Map<string, number>();
  try {
    for (const { topic, partition, from, to } of ranges) {
      if (from >= to) continue;
      open.set(name({ topic, partition }), to);
      fetcher.assign(topic, partition, from);
    }
    while (open.size > 0)
      for (const fetched of await fetcher.poll()) {
        const { topic, partition, error, nextOffset } = fetched;
        if (error !== undefined) throw error;
        yield fetched;
        if (nextOffset < (open.get(name(fetched)) ?? 0)) continue;
        open.delete(name(fetched));
        fetcher.unassign(topic, partition);
      }
  } finally {
    await fetcher.close();
  }
}
