import pl from "nodejs-polars";
import { type Decoded, type Format, formatOf } from "../../format/index.ts";
import type { RecordColumns } from "../../log/columns.ts";
import { PackedBatch } from "../../operators/packed-batch.ts";
import type { ProgramSource } from "../../operators/program.ts";
import { frameOf } from "../../polars/frame-of.ts";
import { dtypeOf, type Schema } from "../../schema.ts";
import { type BadRecord, badRecordAt } from "./bad-record.ts";
import { type EventTimes, eventTimeOf } from "./event-time.ts";
import { packedRecords } from "./packed-records.ts";
import { headersSeries } from "./record-headers.ts";
import { plainKeys, textKeys } from "./record-keys.ts";
import { decodedSchema } from "./source-schema.ts";
import { FIRST_TIME, LAST_TIME } from "./time-range.ts";
import { tombstonesOf, withTombstones } from "./tombstones.ts";

/** Records of one partition, as `Fetcher.poll` gives them. */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly columns: RecordColumns;
}

export interface SourceBatch {
  /**
   * One row per good record (or several, where it holds them), in offset order: the columns that the program uses, then `_key` Utf8, `_time` Datetime(ms), `_partition` Int32,
   * `_offset` Int64, and `_headers` where the program needs it.
   */
  readonly frame: pl.DataFrame;
  /** In offset order. */
  readonly bad: readonly BadRecord[];
  /** The same rows as they lie in the records, where these hold many each; then `frame` is made when it is first asked for. */
  readonly packed?: PackedBatch;
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

/** What records bring beside their values, per row. */
interface Beside {
  readonly partition: number;
  readonly offsets: Float64Array;
  /** Their own, where that is the event time; ms. */
  readonly times: pl.Series | undefined;
  readonly headers: pl.Series | undefined;
}

/** Makes a task's input frames of fetched records. The same in a notebook and in a job. */
export class SourceReader {
  readonly #source: ProgramSource;
  readonly #format: Format;
  readonly #wire: Schema;
  /** What is decoded from the value: the columns in use, the time, and the key column, to compare it with the record key. */
  readonly #decoded: readonly string[];
  readonly #eventTime: ((rows: pl.DataFrame) => EventTimes) | undefined;
  #differing: pl.Expr | undefined;
  #counts: SourceCounts = { records: 0, bad: 0, unknownFields: 0, keyDifferences: 0 };

  /**
   * @param wire how the messages are written: the schema given to `topic`, frozen by promotion, or inferred; see `rowsSchema`
   */
  constructor(source: ProgramSource, wire: Schema) {
    this.#source = source;
    this.#format = formatOf(source.node.format);
    this.#wire = decodedSchema(source.node, wire);
    const { key, time } = source.node;
    this.#eventTime = eventTimeOf(source.node, source.schema);
    this.#decoded = Object.keys(this.#wire).filter(
      (name) => name === key || name === time || source.columns.includes(name),
    );
  }

  get counts(): SourceCounts {
    return this.#counts;
  }

  read(fetched: Fetched): SourceBatch {
    const { columns } = fetched;
    const decoded = this.#format.decode(columns, this.#wire, { used: this.#decoded });
    const packed = packedRecords(this.#source, this.#wire, fetched, decoded);
    if (packed === undefined) return this.#rows(fetched, decoded);
    this.#count({ records: columns.count, bad: 0, unknownFields: decoded.unknownFields, keyDifferences: 0 });
    const batch = new PackedBatch(packed, () =>
      this.#frame(decoded.frame, keySeries(columns, decoded.good).keys, this.#beside(fetched, decoded)),
    );
    return {
      packed: batch,
      bad: [],
      get frame() {
        return batch.frame;
      },
    };
  }

  #count(more: SourceCounts): void {
    const { records, bad, unknownFields, keyDifferences } = this.#counts;
    this.#counts = {
      records: records + more.records,
      bad: bad + more.bad,
      unknownFields: unknownFields + more.unknownFields,
      keyDifferences: keyDifferences + more.keyDifferences,
    };
  }

  #beside({ partition, columns }: Fetched, { good, rows }: Decoded): Beside {
    const { node, needsHeaders } = this.#source;
    return {
      partition,
      offsets: pick(columns.offsets!, good),
      times: node.time === undefined ? rawTime(pick(columns.timestamps, good)) : undefined,
      headers: needsHeaders ? headersSeries(columns.headers, good, rows) : undefined,
    };
  }

  #rows({ topic, partition, columns }: Fetched, decoded: Decoded): SourceBatch {
    const { node } = this.#source;
    const { rows, bad, good, unknownFields } = decoded;
    const { keys, notText } = keySeries(columns, good);
    let frame = this.#frame(decoded.frame, keys, this.#beside({ topic, partition, columns }, decoded));

    // what the value alone does not tell: reasons by row of the frame
    const reasons = new Map<number, string>();
    if (this.#eventTime !== undefined) {
      const made = this.#eventTime(frame);
      for (const [row, reason] of made.reasons) reasons.set(row, reason);
      frame = frame.withColumns(made.times.cast(pl.Datetime("ms")).rename("_time"));
    }
    if (notText.length > 0) {
      const among = new Set(notText);
      for (let row = 0; row < rows; row++)
        if (among.has(good?.[row] ?? row)) reasons.set(row, "the record key is not UTF-8");
    }
    const nullsOf = (name: string) => (frame.columns.includes(name) ? frame.getColumn(name).nullCount() : 0);
    if (nullsOf("_time") > 0) {
      const computed = this.#eventTime !== undefined;
      const reason = computed
        ? "no event time: what it is computed from gave none"
        : node.time === undefined
          ? "the record has no timestamp"
          : `${node.time}: no event time`;
      for (const row of nullRows(frame.getColumn("_time"))) if (!reasons.has(row)) reasons.set(row, reason);
    }
    const times = frame.getColumn("_time").cast(pl.Int64);
    if (frame.height > 0 && !((times.min() as number) >= FIRST_TIME && (times.max() as number) <= LAST_TIME)) {
      const name = this.#eventTime !== undefined ? "event time" : (node.time ?? "the record's timestamp");
      for (const [row, ms] of (times.cast(pl.Float64).toArray() as (number | null)[]).entries()) {
        if (ms !== null && (ms < FIRST_TIME || ms > LAST_TIME) && !reasons.has(row))
          reasons.set(row, `${name}: the event time ${ms} ms is beyond the years 1 to 9999`);
      }
    }
    if (node.key !== undefined && nullsOf(node.key) > nullsOf("_key")) {
      const keys = frame.getColumn("_key");
      const reason = `the record key is not ${this.#source.schema[node.key]}`;
      for (const row of nullRows(frame.getColumn(node.key))) {
        if (keys.get(row) !== null && !reasons.has(row)) reasons.set(row, reason);
      }
    }
    if (reasons.size > 0) frame = withoutRows(frame, reasons);
    const badIndices = new Map(bad.map(({ index, reason }) => [index, reason]));
    if (node.tombstones) {
      const tombstones = tombstonesOf(columns);
      for (const index of tombstones) badIndices.delete(index);
      frame = withTombstones(frame, tombstones, { columns, partition }, this.#source);
    }
    for (const [row, reason] of reasons) badIndices.set(good?.[row] ?? row, reason);
    this.#count({
      records: columns.count,
      bad: badIndices.size,
      unknownFields,
      keyDifferences: this.#differences(decoded.frame, keys),
    });
    return { frame, bad: badRecords(topic, partition, columns, badIndices) };
  }

  /**
   * What was decoded and what the records bring beside it as a frame: the columns in use (the record key wins over a field of its name) and the metadata. Column by column,
   * since a query is a wait for Polars' thread.
   */
  #frame(values: pl.DataFrame, keys: pl.Series, { partition, offsets, times, headers }: Beside): pl.DataFrame {
    const { node, schema, columns } = this.#source;
    const time = times === undefined ? values.getColumn(node.time!) : times.cast(pl.Int64);
    const own = columns.map((name) => {
      if (name === node.key) return (schema[name] === "Utf8" ? keys : keys.cast(dtypeOf(schema[name]!))).alias(name);
      const column = values.getColumn(name);
      return name === node.time ? column.cast(pl.Datetime("ms")) : column;
    });
    const metadata = [
      keys.alias("_key"),
      time.cast(pl.Datetime("ms")).alias("_time"),
      pl.Series("_partition", new Int32Array(offsets.length).fill(partition)),
      pl.Series("_offset", offsets).cast(pl.Int64),
      ...(headers === undefined ? [] : [headers]),
    ];
    return frameOf([...own, ...metadata]);
  }

  /** Records whose field of the key column holds something else than the record key. */
  #differences(decoded: pl.DataFrame, keys: pl.Series): number {
    const { key } = this.#source.node;
    if (key === undefined || !(key in this.#wire) || decoded.height === 0) return 0;
    const values = decoded.withColumn(keys);
    const field = pl.col(key);
    this.#differing ??= field
      .isNotNull()
      .and(
        pl
          .col(RAW_KEY)
          .isNull()
          .or(field.neq(pl.col(RAW_KEY))),
      )
      .sum()
      .cast(pl.Float64);
    return (values.select(this.#differing).row(0)[0] as number | null) ?? 0;
  }
}

const RAW_KEY = "\u0000key";

/** The keys of the good records as text, and which records have a key that is none. */
function keySeries(columns: RecordColumns, good: Uint32Array | undefined) {
  const plain = good === undefined ? plainKeys(columns.keys, columns.count, RAW_KEY) : undefined;
  if (plain !== undefined) return { keys: plain, notText: [] };
  const { texts, notText } = textKeys(columns.keys, columns.count);
  if (good === undefined) return { keys: pl.Series(RAW_KEY, texts, pl.Utf8), notText };
  if (good.length > 2 * columns.count) return { keys: repeated(texts, good), notText };
  const kept = Array.from(good, (index) => texts[index]!);
  return { keys: pl.Series(RAW_KEY, kept, pl.Utf8), notText };
}

/** The keys of records that hold many rows each: every text crosses into Polars once. @param good the record of each row */
function repeated(texts: readonly (string | null)[], good: Uint32Array): pl.Series {
  const ofRecords = pl.Series(RAW_KEY, texts as string[], pl.Utf8);
  const rows = pl.DataFrame([pl.Series("at", good)]);
  return rows.select(pl.lit(ofRecords).explode().gather(pl.col("at")).alias(RAW_KEY)).getColumn(RAW_KEY);
}

/** The records' own timestamps; -1 stands for none. */
function rawTime(timestamps: Float64Array): pl.Series {
  if (!timestamps.includes(-1)) return pl.Series("_time", timestamps);
  return pl.Series(
    "_time",
    Array.from(timestamps, (ms) => (ms === -1 ? null : ms)),
    pl.Float64,
  );
}

function pick(column: Float64Array, good: Uint32Array | undefined): Float64Array {
  if (good === undefined) return column;
  const picked = new Float64Array(good.length);
  for (let i = 0; i < picked.length; i++) picked[i] = column[good[i]!]!;
  return picked;
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
    .map(([index, reason]) => badRecordAt({ topic, partition, columns }, index, reason));
}
