import type { LiveStatus } from "../../frame/driver.ts";
import type { BadRecord } from "../source/bad-record.ts";
import { instant, whole } from "./numbers.ts";
import type { TopicRanges } from "./session.ts";

/** The status of a live frame in a notebook. */
export interface NotebookStatus extends LiveStatus {
  /** Rows kept now. */
  readonly kept: number;
  /** Records read per second, over the last seconds. */
  readonly rate: number;
  /** Records read in each second of the last minute of reading, the oldest first. */
  readonly history: readonly number[];
  /** The smallest watermark over partitions, ms since the epoch; NaN before the first row. */
  readonly watermark: number;
  /** Rows that came too late for a window. */
  readonly late: number;
  readonly unknownFields: number;
  /** Records whose key differs from the field of the key column. */
  readonly keyDifferences: number;
  /** Rows of state held. */
  readonly stateRows: number;
  /** Windows and sessions that are open. */
  readonly openWindows: number;
  /** The first of the bad records. */
  readonly bad: readonly BadRecord[];
  /** The offsets read, by topic. */
  readonly ranges: TopicRanges;
  /** What the topics bring that the schema does not say, or no longer bring. */
  readonly drift: readonly string[];
  /** Since when the brokers have been out of reach, ms since the epoch. */
  readonly awaySince?: number;
}

/** One line for people. What is zero and unremarkable is left out. */
export function statusLine(status: NotebookStatus): string {
  const { state, kept, rowsOut, dropped } = status;
  const parts: string[] = [];
  if (status.awaySince !== undefined) {
    parts.push(
      `broker out of reach since ${instant(status.awaySince)}, trying again (the rows below are the last seen)`,
    );
  } else if (state === "waiting") {
    parts.push(`waiting, looking again every second: ${String((status.error as Error).message).split("\n", 1)[0]}`);
  } else parts.push(state);
  parts.push(`${whole(status.rate)} records/s`, `lag ${whole(status.lag)}`);
  if (!Number.isNaN(status.watermark)) parts.push(`watermark ${instant(status.watermark)}`);
  parts.push(
    dropped > 0
      ? `kept ${whole(kept)} of ${whole(rowsOut)} rows, ${whole(dropped)} dropped from view`
      : `${whole(rowsOut)} rows`,
  );
  parts.push(`${whole(status.rowsIn)} records read`);
  if (status.late > 0) parts.push(`${whole(status.late)} late`);
  if (status.badRecords > 0) parts.push(`${whole(status.badRecords)} bad`);
  if (status.unknownFields > 0) parts.push(`${whole(status.unknownFields)} unknown fields`);
  if (status.keyDifferences > 0) parts.push(`${whole(status.keyDifferences)} keys differ from their field`);
  if (status.openWindows > 0) parts.push(counted(status.openWindows, "open window"));
  if (status.stateRows > 0) parts.push(`${counted(status.stateRows, "row")} of state`);
  return parts.join(" · ");
}

const counted = (count: number, what: string): string => `${whole(count)} ${what}${count === 1 ? "" : "s"}`;

/** Partitions named with their offsets: more are counted. */
const MOST = 8;

/** What a saved notebook was looking at: when, and which offsets. */
export function readLine({ ranges }: NotebookStatus, now = Date.now()): string {
  const parts = [...ranges].flatMap(([topic, partitions]) =>
    [...partitions]
      .sort(([a], [b]) => a - b)
      .map(([partition, [first, end]]) => `${topic}[${partition}] ${first}–${end - 1}`),
  );
  const more = parts.length > MOST ? ` and ${parts.length - MOST} more partitions` : "";
  const offsets = parts.length === 0 ? "nothing read yet" : `offsets ${parts.slice(0, MOST).join(", ")}${more}`;
  return `as of ${instant(now)} UTC · ${offsets}`;
}
