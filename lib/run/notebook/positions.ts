import { Refusal } from "../../error.ts";
import type { Position, Until } from "../../frame/driver.ts";
import type { Cluster } from "../../log/index.ts";
import { parseDuration } from "../../plan/duration.ts";

/** topic -> partition -> offset */
export type Offsets = ReadonlyMap<string, ReadonlyMap<number, number>>;

const DURATION = /^-?(\d+(ms|us|ns|mo|[smhdwqyi]))+$/;

/**
 * The offsets of a place, per topic and partition. Times are those of the records (their timestamps in the log). Partitions that exact
 * offsets do not name are left out.
 * @throws Refusal `BAD_POSITION`
 */
export async function offsetsOf(cluster: Cluster, topics: readonly string[], position: Position): Promise<Offsets> {
  if (typeof position === "object" && !(position instanceof Date)) return exactOffsets(topics, position);
  const when = moment(position);
  const offsets = topics.map(
    async (topic) => [topic, await cluster.listOffsets(topic, when, "read_committed")] as const,
  );
  return new Map(await Promise.all(offsets));
}

/** A place as a person types it: as in a program, and offsets by partition as `0:1500 1:1498`. */
export function typedPosition(text: string): Position {
  const typed = text.trim();
  if (!/^\d+:\d+([\s,]+\d+:\d+)*$/.test(typed)) return typed;
  return Object.fromEntries(typed.split(/[\s,]+/).map((one) => one.split(":").map(Number) as [number, number]));
}

function moment(position: string | Date): "earliest" | "latest" | number {
  if (position === "earliest" || position === "latest") return position;
  if (position === "end") return "latest";
  if (typeof position === "string" && DURATION.test(position)) {
    const ms = parseDuration(position, "position");
    if (ms <= 0) return Date.now() + ms;
  }
  // a date and time without a zone is UTC, like everything here
  const text = typeof position === "string" && /T\d\d:\d\d(:[\d.]+)?$/.test(position) ? `${position}Z` : position;
  const time = typeof text === "string" && !/^\d{4}-\d\d-\d\d/.test(text) ? Number.NaN : new Date(text).getTime();
  if (!Number.isNaN(time)) return time;
  throw new Refusal({
    code: "BAD_POSITION",
    what: `"${position}" is no place in a topic`,
    remedies: [
      '"earliest", "latest", a time such as "2026-01-31T12:00:00Z", or how far back: "-10m"',
      "offsets by partition: { 0: 1500, 1: 1498 }",
    ],
  });
}

function exactOffsets(topics: readonly string[], position: Exclude<Position, string | Date>): Offsets {
  const nested = Object.values(position).some((value) => typeof value === "object");
  if (!nested && topics.length > 1) {
    throw new Refusal({
      code: "BAD_POSITION",
      what: `offsets by partition are given for ${topics.length} topics`,
      remedies: [`give them by topic: { "${topics[0]}": { 0: 1500 } }`],
    });
  }
  const byTopic = (nested ? position : { [topics[0]!]: position }) as Record<string, Record<string, number>>;
  return new Map(
    Object.entries(byTopic).map(([topic, partitions]) => [
      topic,
      new Map(Object.entries(partitions).map(([partition, offset]) => [Number(partition), offset])),
    ]),
  );
}

/** Where a bounded read stops. */
export interface Bound {
  /** Exclusive; undefined: only rows or time bound it. */
  readonly ends?: Offsets;
  readonly rows?: number;
  /** Reading time, ms. */
  readonly duration?: number;
}

/** @throws Refusal `BAD_POSITION`, `BAD_DURATION` */
export async function boundOf(cluster: Cluster, topics: readonly string[], until: Until | undefined): Promise<Bound> {
  if (typeof until === "number") return { rows: until };
  if (typeof until === "string" && DURATION.test(until) && !until.startsWith("-")) {
    return { duration: parseDuration(until, "until") };
  }
  return { ends: await offsetsOf(cluster, topics, until ?? "latest") };
}
