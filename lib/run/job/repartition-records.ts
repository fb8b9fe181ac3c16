import pl from "nodejs-polars";
import { MillraceError } from "../../error.ts";
import type { ByteColumn, RecordColumns, RecordHeader } from "../../log/columns.ts";
import { byteColumn, cell, textOf } from "./samples.ts";

/**
 * What a task sends to a partition of a repartition topic, one record or more:
 * key null; value: rows as one Arrow IPC file, or null where there are none; headers, as text:
 * - `from`: the partition of the task that sends,
 * - `reached`: in ms, no row of a smaller `_order` follows from it; empty while nothing is known,
 * - `over`: where nobody has to wait for it any more (its sources have ended, or are idle), until it sends again: the next offsets of its
 *   sources then, see {@link offsetsText}; else empty.
 *
 * Records are written in the transaction that commits the offsets of what they were made of, so a task that lost its partition writes none that count.
 */
export interface Sent {
  readonly from: number;
  /** NaN while nothing is known. */
  readonly reached: number;
  /** The next offsets of its sources when it said so; undefined while it is to be waited for. */
  readonly over: string | undefined;
  readonly rows: pl.DataFrame | undefined;
}

/** Offsets by topic, one text for the same offsets: `{"phones":12}`. */
export const offsetsText = (offsets: Iterable<readonly [topic: string, offset: number]>): string =>
  JSON.stringify(Object.fromEntries([...offsets].sort(([a], [b]) => (a < b ? -1 : 1))));

/** Brokers take a megabyte unless told otherwise. */
const LARGEST = 512 * 1024;

/** Rows in as many records as their size needs, the last of them with what is known after all of them. */
export function sentRecords({ from, reached, over, rows }: Sent, before: number): RecordColumns {
  const values: (Uint8Array | null)[] = rows === undefined ? [null] : pieces(rows);
  const now = Date.now();
  return {
    count: values.length,
    keys: byteColumn(new Array(values.length).fill(null), false),
    values: byteColumn(values, false),
    timestamps: new Float64Array(values.length).fill(now),
    headers: values.map((_, i) => {
      const last = i === values.length - 1;
      const known = last ? reached : before;
      return [
        header("from", String(from)),
        header("reached", Number.isNaN(known) ? "" : String(known)),
        header("over", (last && over) || ""),
      ];
    }),
  };
}

function pieces(rows: pl.DataFrame): Uint8Array[] {
  const bytes = rows.writeIPC();
  if (bytes.length <= LARGEST || rows.height < 2) return [bytes];
  const half = rows.height >> 1;
  return [...pieces(rows.slice(0, half)), ...pieces(rows.slice(half, rows.height - half))];
}

const header = (key: string, value: string): RecordHeader => ({ key: Buffer.from(key), value: Buffer.from(value) });

/** One record of a repartition topic. @throws MillraceError `CORRUPT_RECORDS` when nobody of this job wrote it */
export function receivedRecord(values: ByteColumn, headers: readonly RecordHeader[] | undefined, index: number): Sent {
  const said = new Map((headers ?? []).map(({ key, value }) => [textOf(key), value === null ? "" : textOf(value)]));
  const from = said.get("from");
  if (from === undefined)
    throw new MillraceError({
      code: "CORRUPT_RECORDS",
      what: "a record of a repartition topic was not written by this job",
      remedies: ["let nothing else write to the topics of a job"],
    });
  const bytes = cell(values, index);
  const reached = said.get("reached");
  return {
    from: Number(from),
    reached: reached ? Number(reached) : Number.NaN,
    over: said.get("over") || undefined,
    rows: bytes === null || bytes.length === 0 ? undefined : pl.readIPC(Buffer.from(bytes)),
  };
}
