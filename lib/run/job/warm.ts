import { type Cluster, type FetchedPartition, sliceRecords } from "../../log/index.ts";

/**
 * Records that make state and no output: what the notebook had read when the job was made of it, or what a job had read when its state was built
 * anew: topic -> partition -> [first offset, offset after the last].
 */
export type WarmRanges = Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;

/**
 * Where a warm job without committed offsets begins to read a partition: where the notebook did, or at what is left of that. Undefined for what
 * the notebook did not read.
 */
export async function warmStart(
  cluster: Cluster,
  warm: WarmRanges | undefined,
  topic: string,
  partition: number,
): Promise<number | undefined> {
  const range = warm?.[topic]?.[partition];
  if (range === undefined) return undefined;
  const first = (await cluster.listOffsets(topic, "earliest")).get(partition) ?? 0;
  return Math.max(first, range[0]);
}

/** Where the earlier reading ended in the topics of a partition that has not come that far: topic -> partition -> offset. Undefined where it has. */
export function warmEnds(
  offsets: ReadonlyMap<string, number>,
  partition: number,
  warm: WarmRanges | undefined,
): ReadonlyMap<string, ReadonlyMap<number, number>> | undefined {
  if (!isBeforeWarmEnd(offsets, partition, warm)) return undefined;
  const end = (topic: string, offset: number) => Math.max(offset, warm?.[topic]?.[partition]?.[1] ?? 0);
  return new Map([...offsets].map(([topic, offset]) => [topic, new Map([[partition, end(topic, offset)]])]));
}

export interface WarmPart {
  readonly fetched: FetchedPartition;
  /** These records have been seen: they make the state what it was, and nothing is written. */
  readonly silent: boolean;
}

/** Whether records before these offsets have been seen that are still to come: what the wall clock would do waits for them. */
export function isBeforeWarmEnd(offsets: ReadonlyMap<string, number>, partition: number, warm?: WarmRanges): boolean {
  return [...offsets].some(([topic, offset]) => offset < (warm?.[topic]?.[partition]?.[1] ?? 0));
}

/** Fetched records divided where the earlier reading ended. */
export function warmParts(fetched: FetchedPartition, warm: WarmRanges | undefined): readonly WarmPart[] {
  const { topic, partition, columns, nextOffset } = fetched;
  const end = warm?.[topic]?.[partition]?.[1] ?? 0;
  const { offsets, count } = columns;
  let seen = 0;
  while (seen < count && offsets[seen]! < end) seen++;
  if (seen === 0) return [{ fetched, silent: nextOffset <= end }];
  if (seen === count) return [{ fetched, silent: true }];
  return [
    { fetched: { ...fetched, columns: sliceRecords(columns, 0, seen), nextOffset: end }, silent: true },
    { fetched: { ...fetched, columns: sliceRecords(columns, seen, count) }, silent: false },
  ];
}
