import { mkdir, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type pl from "nodejs-polars";
import { Refusal } from "../../../error.ts";
import type { TopicRanges } from "../session.ts";

/** The offsets [from, to) of a partition that the rows of a file come from. */
interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

const name = (ranges: readonly Range[]) =>
  `${ranges.map(({ topic, partition, from, to }) => `${topic}-${partition}-${from}-${to}`).join("+")}.parquet`;

/** What a file name says, `topic-partition-from-to` for each topic, joined by `+`; undefined for files of others. */
function parsed(file: string): Range[] | undefined {
  if (!file.endsWith(".parquet")) return undefined;
  const parts = file.slice(0, -".parquet".length).split("+");
  const ranges = parts.map((part) => {
    const [, topic, partition, from, to] = /^(.+)-(\d+)-(\d+)-(\d+)$/.exec(part) ?? [];
    return topic === undefined
      ? undefined
      : { topic, partition: Number(partition), from: Number(from), to: Number(to) };
  });
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

const within = (inner: readonly Range[], outer: readonly Range[]) =>
  inner.length === outer.length &&
  inner.every((one) =>
    outer.some((o) => o.topic === one.topic && o.partition === one.partition && o.from <= one.from && one.to <= o.to),
  );

const meet = (some: readonly Range[], others: readonly Range[]) =>
  some.some((a) =>
    others.some((b) => a.topic === b.topic && a.partition === b.partition && a.from < b.to && b.from < a.to),
  );

/**
 * Writes the rows of each task to a file named by the offsets they come from, whole or not at all. Files of ranges within the new ones are
 * replaced; a file that holds part of them and others would hold rows twice.
 * @param rows task (a partition, or `topic/partition`) -> its rows
 * @throws Refusal `RANGES_OVERLAP`
 */
export async function writeParquetFiles(
  folder: string,
  rows: ReadonlyMap<string, pl.DataFrame>,
  ranges: TopicRanges,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const known = (await readdir(folder)).flatMap((file) => {
    const its = parsed(file);
    return its === undefined ? [] : [{ file, ranges: its }];
  });
  const files = [...rows].map(([task, frame]) => ({ frame, ranges: rangesOf(task, ranges) }));
  for (const { ranges } of files)
    for (const other of known)
      if (meet(ranges, other.ranges) && !within(other.ranges, ranges))
        throw new Refusal({
          code: "RANGES_OVERLAP",
          what: `${other.file} holds some of the rows of ${name(ranges)}, and others: both would hold them twice`,
          where: folder,
          remedies: ["give from and until that begin where it ends", "write to another folder, or remove the file"],
        });
  for (const { frame, ranges } of files) {
    const file = path.join(folder, name(ranges));
    const draft = `${file}.${process.pid}.tmp`;
    try {
      frame.writeParquet(draft);
      await rename(draft, file);
    } finally {
      await rm(draft, { force: true });
    }
    for (const other of known)
      if (other.file !== name(ranges) && within(other.ranges, ranges)) await rm(path.join(folder, other.file));
  }
}

function rangesOf(task: string, all: TopicRanges): Range[] {
  const slash = task.lastIndexOf("/");
  const partition = Number(task.slice(slash + 1));
  return [...all]
    .filter(([topic]) => slash === -1 || topic === task.slice(0, slash))
    .flatMap(([topic, partitions]) => {
      const range = partitions.get(partition);
      return range === undefined ? [] : [{ topic, partition, from: range[0], to: range[1] }];
    });
}
