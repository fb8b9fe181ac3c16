import { type Cluster, Fetcher, takeRecords } from "../../lib/log/index.ts";
import { AmountTeller } from "../../lib/run/amount-done.ts";
import type { Sample } from "../../lib/run/job/samples.ts";
import type { Ranges } from "./recorded.ts";

type TopicRanges = Ranges[string];

/** A range for every partition: what was asked, less what the topic no longer holds; partitions nobody asked for are empty. */
export async function heldRanges(cluster: Cluster, topic: string, asked: TopicRanges): Promise<TopicRanges> {
  const [first, last] = [await cluster.listOffsets(topic, "earliest"), await cluster.listOffsets(topic, "latest")];
  const ranges: Record<string, readonly [number, number]> = {};
  for (const [partition, start] of first) {
    const [from, to] = asked[partition] ?? [start, start];
    const end = Math.min(to, last.get(partition)!);
    ranges[partition] = [Math.min(Math.max(from, start), end), end];
  }
  return ranges;
}

/** The records of these offset ranges, with headers and with values as they are. */
export async function fetchRanges(cluster: Cluster, topic: string, ranges: TopicRanges): Promise<Sample[]> {
  const fetcher = new Fetcher(cluster, { headers: true, newlines: "keep", patience: 5000 });
  const open = new Map<number, number>();
  for (const [partition, [from, to]] of Object.entries(ranges)) {
    if (to <= from) continue;
    open.set(Number(partition), to);
    fetcher.assign(topic, Number(partition), from);
  }
  const samples: Sample[] = [];
  const amount = new AmountTeller(
    `recording ${topic}`,
    Object.values(ranges).reduce((sum, [from, to]) => sum + to - from, 0),
  );
  let records = 0;
  try {
    while (open.size > 0) {
      for (const { partition, columns, nextOffset, lastStableOffset, error } of await fetcher.poll()) {
        const to = open.get(partition);
        if (error !== undefined) throw error;
        if (to === undefined) continue;
        const wanted: number[] = [];
        for (let i = 0; i < columns.count; i++) if (columns.offsets[i]! < to) wanted.push(i);
        records += wanted.length;
        amount.update(records);
        if (wanted.length > 0) samples.push({ partition, columns: takeRecords(columns, Uint32Array.from(wanted)) });
        if (nextOffset >= to || nextOffset >= lastStableOffset) {
          open.delete(partition);
          fetcher.unassign(topic, partition);
        }
      }
    }
  } finally {
    await fetcher.close();
  }
  return samples;
}
