import { type Cluster, Fetcher } from "../../log/index.ts";
import type { KeyedStore } from "../store.ts";
import { ChangelogCodec } from "./codec.ts";

/** One store of one partition, to be brought up to what its changelog says. */
export interface Restoring {
  readonly topic: string;
  readonly store: KeyedStore;
  /** Where to read on; absent: from the beginning. */
  readonly from?: number;
}

export interface RestoreProgress {
  /** Changelog records applied. */
  readonly records: number;
  /** Share done, 0 to 1. */
  readonly share: number;
  readonly recordsPerSecond: number;
  /** NaN while it cannot be told. */
  readonly secondsLeft: number;
}

/**
 * Applies changelog partitions to stores, up to their ends as of now. Transactions that are still open there are waited for: their
 * offsets may be committed already while their markers are on the way.
 * @returns store name -> the offset at which reading stopped
 */
export async function restoreFromChangelog(
  cluster: Cluster,
  partition: number,
  stores: readonly Restoring[],
  options: {
    signal?: AbortSignal;
    progress?: (progress: RestoreProgress) => void;
    /** Called after every batch that was applied. */
    applied?: () => Promise<void>;
  } = {},
): Promise<Record<string, number>> {
  const positions: Record<string, number> = {};
  const fetcher = new Fetcher(cluster, { isolation: "read_committed", newlines: "keep" });
  try {
    const open = new Map<
      string,
      { restoring: Restoring; codec: ChangelogCodec; start: number; at: number; end: number }
    >();
    for (const restoring of stores) {
      const { topic, store, from } = restoring;
      const start = from ?? (await cluster.listOffsets(topic, "earliest")).get(partition) ?? 0;
      const end = (await cluster.listOffsets(topic, "latest", "read_uncommitted")).get(partition) ?? 0;
      positions[store.spec.name] = Math.max(start, end);
      if (start >= end) continue;
      open.set(topic, { restoring, codec: new ChangelogCodec(store.spec), start, at: start, end });
      fetcher.assign(topic, partition, start);
    }
    const total = [...open.values()].reduce((sum, { start, end }) => sum + end - start, 0);
    const begun = performance.now();
    let records = 0;
    let left = total;
    while (open.size > 0) {
      options.signal?.throwIfAborted();
      for (const fetched of await fetcher.poll()) {
        const one = open.get(fetched.topic);
        if (fetched.error !== undefined) throw fetched.error;
        if (one === undefined) continue;
        const { upserted, removed } = one.codec.decode(fetched.columns);
        await one.restoring.store.upsert(upserted);
        await one.restoring.store.remove(removed);
        await options.applied?.();
        records += fetched.columns.count;
        one.at = fetched.nextOffset;
        if (one.at >= one.end) {
          positions[one.restoring.store.spec.name] = one.at;
          open.delete(fetched.topic);
          fetcher.unassign(fetched.topic, partition);
        }
        left = [...open.values()].reduce((sum, { at, end }) => sum + end - at, 0);
      }
      const seconds = (performance.now() - begun) / 1000;
      const offsetsPerSecond = (total - left) / seconds;
      options.progress?.({
        records,
        share: total === 0 ? 1 : (total - left) / total,
        recordsPerSecond: records / seconds,
        secondsLeft: offsetsPerSecond > 0 ? left / offsetsPerSecond : Number.NaN,
      });
    }
    return positions;
  } finally {
    await fetcher.close();
  }
}
