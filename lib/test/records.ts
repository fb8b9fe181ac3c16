import { Refusal } from "../error.ts";
import { partitionOf, type RecordColumns } from "../log/index.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import { textColumn } from "../run/sink/text-column.ts";

/**
 * A record to feed: the fields of its message, and beside them `_key` (text; otherwise the topic's key column), `_time` (the record's
 * timestamp, ms or a Date), `_partition`, and `_value: null` for a record without a value, which deletes its key's row of a table.
 */
export type TestRecord = Readonly<Record<string, unknown>>;

interface Placed {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

/** Messages as JSON, by partition: what a producer would have written. */
export function placeRecords(
  node: SourceNode,
  records: readonly TestRecord[],
  partitions: number,
  now: number,
): Map<number, Placed[]> {
  const placed = new Map<number, Placed[]>();
  for (const record of records) {
    const { _key, _time, _partition, _value, ...fields } = record;
    const named = _key ?? (node.key === undefined ? null : fields[node.key]);
    const key = named === null || named === undefined ? null : String(named);
    const partition = _partition === undefined ? partitionFor(key, partitions) : Number(_partition);
    if (!(partition >= 0 && partition < partitions))
      throw new Refusal({
        code: "BAD_OPTION",
        what: `a record goes to partition ${partition}, and there are ${partitions}`,
        where: "feed",
        remedies: [`driver(…, { partitions: ${partition + 1} })`],
      });
    const timestamp = _time instanceof Date ? _time.getTime() : Number(_time ?? now);
    const list = placed.get(partition) ?? [];
    placed.set(partition, list);
    list.push({ key, value: _value === null ? null : JSON.stringify(fields, spelled), timestamp });
  }
  return placed;
}

/** As a fetch would give them. */
export function recordColumns(records: readonly Placed[], firstOffset: number): RecordColumns {
  const values = textColumn(records.map(({ value }) => `${value ?? ""}\n`));
  const without = records.some(({ value }) => value === null);
  const nulls = Uint8Array.from(records, ({ value }) => (value === null ? 1 : 0));
  return {
    count: records.length,
    keys: textColumn(records.map(({ key }) => key)),
    // a value is followed by one newline that does not belong to it
    values: { ...values, ends: values.ends.map((end) => end - 1), ...(without && { nulls }) },
    timestamps: Float64Array.from(records, ({ timestamp }) => timestamp),
    offsets: Float64Array.from(records, (_, i) => firstOffset + i),
  };
}

function partitionFor(key: string | null, partitions: number): number {
  return key === null ? 0 : partitionOf(partitions, Buffer.from(key));
}

function spelled(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
