import pl from "nodejs-polars";
import { type Format, formatOf } from "../../format/index.ts";
import type { ByteColumn, RecordColumns } from "../../log/columns.ts";
import type { ProgramSource } from "../../operators/program.ts";
import { dtypeOf, type Schema } from "../../schema.ts";
import type { BadRecord } from "./bad-record.ts";
import { headersSeries } from "./record-headers.ts";
import { textKeys } from "./record-keys.ts";
import { decodedSchema } from "./source-schema.ts";

/** Records of one partition, as `Fetcher.poll` gives them. */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly columns: RecordColumns;
}

export interface SourceBatch {
  /**
   * One row per good record, in offset order: the columns that the program uses, then `_key` Utf8, `_time` Datetime(ms), `_partition` Int32,
   * `_offset` Int64, and `_headers` where the program needs it.
   */
  readonly frame: pl.DataFrame;
  /** In offset order. */
  readonly bad: readonly BadRecord[];
}

/** Totals since the reader was made. */
export interface SourceCounts {
  readonly records: number;
  readonly bad: number;
  /** Fields that hold a value and are not in the schema. */
  readonly unknownFields: number;
  /** Records whose key differs from the field of the key column; the record key wins. */
  readonly keyDifferences: number;
}

/** Makes a task's input frames of fetched records. The same in a notebook and in a job. */
export class SourceReader {
  readonly #source: ProgramSource;
  readonly #format: Format;
  readonly #wire: Schema;
  /** What is decoded from the value: the columns in use, the time, and the key column, to compare it with the record key. */
  readonly #decoded: readonly string[];
  #counts: SourceCounts = { records: 0, bad: 0, unknownFields: 0, keyDifferences: 0 };

  /**
   * @param wire how the messages are written: the schema given to `topic`, frozen by promotion, or inferred; see `rowsSchema`
   */
  constructor(source: ProgramSource, wire: Schema) {
    this.#source = source;
    this.#format = formatOf(source.node.format);
    this.#wire = decodedSchema(source.node, wire);
    const { key, time } = source.node;
    this.#decoded = Object.keys(this.#wire).filter(
      (name) => name === key || name === time || source.columns.includes(name),
    );
  }

  get counts(): SourceCounts {
    return this.#counts;
  }

  read({ topic, partition, columns }: Fetched): SourceBatch {
    const { node } = this.#source;
    const {
      frame: values,
      rows,
      bad,
      good,
      unknownFields,
    } = this.#format.decode(columns, this.#wire, { used: this.#decoded });
    const { texts, notText } = textKeys(columns.keys, columns.count);
    const timestamps = pick(columns.timestamps, good);
    const metadata = {
      _key: pl.Series("_key", good === undefined ? texts : Array.from(good, (index) => texts[index]!), pl.Utf8),
      _time: this.#time(values, timestamps),
      _partition: pl.Series("_partition", new Int32Array(rows).fill(partition)),
      _offset: pl.Series("_offset", pick(columns.offsets!, good)).cast(pl.Int64),
    };
    const keyColumn = node.key === undefined ? undefined : this.#keyColumn(metadata._key);
    const series = this.#source.columns.map((name) =>
      name === node.key ? keyColumn! : name === node.time ? metadata._time.rename(name) : values.getColumn(name),
    );
    series.push(...Object.values(metadata));
    if (this.#source.needsHeaders) series.push(headersSeries(columns.headers, good, rows));

    // what the value alone does not tell: reasons by row of the frame
    const rowOf = (index: number): number => (good === undefined ? index : good.indexOf(index));
    const reasons = new Map<number, string>();
    for (const index of notText) if (rowOf(index) >= 0) reasons.set(rowOf(index), "the record key is not UTF-8");
    const timeless = node.time === undefined ? "the record has no timestamp" : `${node.time}: no event time`;
    for (const row of nullRows(metadata._time)) if (!reasons.has(row)) reasons.set(row, timeless);
    if (keyColumn !== undefined && keyColumn.nullCount() > metadata._key.nullCount()) {
      const dtype = this.#source.schema[node.key!];
      for (const row of nullRows(keyColumn)) {
        if (metadata._key.get(row) !== null && !reasons.has(row)) reasons.set(row, `the record key is not ${dtype}`);
      }
    }
    const all = pl.DataFrame(series);
    const frame = reasons.size === 0 ? all : withoutRows(all, reasons);
    const badIndices = new Map(bad.map(({ index, reason }) => [index, reason]));
    for (const [row, reason] of reasons) badIndices.set(good?.[row] ?? row, reason);
    this.#counts = {
      records: this.#counts.records + columns.count,
      bad: this.#counts.bad + badIndices.size,
      unknownFields: this.#counts.unknownFields + unknownFields,
      keyDifferences: this.#counts.keyDifferences + this.#differences(values, metadata._key),
    };
    return { frame, bad: badRecords(topic, partition, columns, badIndices) };
  }

  /** The event time: the time column, else the record's timestamp (-1 stands for none). */
  #time(values: pl.DataFrame, timestamps: Float64Array): pl.Series {
    const { time } = this.#source.node;
    const dtype = pl.Datetime("ms");
    if (time !== undefined) return values.getColumn(time).cast(dtype).rename("_time");
    const series = pl.Series("_time", timestamps).cast(pl.Int64).cast(dtype);
    if (!timestamps.includes(-1)) return series;
    return pl
      .Series(
        "_time",
        Array.from(timestamps, (ms) => (ms === -1 ? null : ms)),
        pl.Float64,
      )
      .cast(pl.Int64)
      .cast(dtype);
  }

  /** The record key as the key column's dtype; a key that is none becomes null. */
  #keyColumn(keys: pl.Series): pl.Series {
    const name = this.#source.node.key!;
    const dtype = this.#source.schema[name]!;
    return (dtype === "Utf8" ? keys : keys.cast(dtypeOf(dtype), false)).rename(name);
  }

  #differences(values: pl.DataFrame, keys: pl.Series): number {
    const { key } = this.#source.node;
    if (key === undefined || !(key in this.#wire) || keys.length === 0) return 0;
    const both = pl.DataFrame([values.getColumn(key).rename("field"), keys.rename("key")]);
    const differs = pl
      .col("field")
      .isNotNull()
      .and(
        pl
          .col("key")
          .isNull()
          .or(pl.col("field").neq(pl.col("key"))),
      );
    return both.select(differs.sum().cast(pl.Float64)).getColumn("field").get(0) ?? 0;
  }
}

function pick(column: Float64Array, good: Uint32Array | undefined): Float64Array {
  return good === undefined ? column : Float64Array.from(good, (index) => column[index]!);
}

function nullRows(series: pl.Series): number[] {
  if (series.nullCount() === 0) return [];
  const rows: number[] = [];
  for (const [row, isNull] of (series.isNull().toArray() as boolean[]).entries()) if (isNull) rows.push(row);
  return rows;
}

function withoutRows(frame: pl.DataFrame, rows: { has(row: number): boolean }): pl.DataFrame {
  const kept: number[] = [];
  for (let row = 0; row < frame.height; row++) if (!rows.has(row)) kept.push(row);
  return frame.select(pl.all().gather(kept));
}

function badRecords(
  topic: string,
  partition: number,
  columns: RecordColumns,
  reasons: ReadonlyMap<number, string>,
): BadRecord[] {
  return [...reasons]
    .sort(([a], [b]) => a - b)
    .map(([index, reason]) => ({
      topic,
      partition,
      offset: columns.offsets![index]!,
      timestamp: columns.timestamps[index]!,
      key: cell(columns.keys, index),
      value: cell(columns.values, index),
      reason,
    }));
}

/** A copy: a bad record outlives the fetch response that it lies in. */
function cell({ bytes, starts, ends, nulls }: ByteColumn, index: number): Uint8Array | null {
  return nulls?.[index] ? null : bytes.slice(starts[index], ends[index]);
}
