import pl from "nodejs-polars";
import type { Numbers } from "../format/format.ts";
import { numbersOf } from "../format/longs.ts";
import { frameOf } from "../polars/frame-of.ts";
import { numberSeries } from "../polars/number-series.ts";
import type { PackedRecords } from "./packed-batch.ts";
import type { SimpleAggregate } from "./partial-aggregate.ts";
import type { WindowPlan } from "./window-plan.ts";
import { windowSequence } from "./window-sequence.ts";

/** Partial aggregates of the rows of packed records: one row for each run of neighbours of one key and window. */
export interface Runs {
  /** `§key_…`, `§window`, `_key`, `_partition`, the partial aggregates and `_rows`; in the order of their first rows. */
  readonly frame: pl.DataFrame;
  /** How many rows came too late. */
  readonly late: number;
}

/** Works on packed records, where {@link packedRuns} found that it can. @param watermark before the batch, ms; NaN for none */
export type RunsOf = (batch: PackedRecords, watermark: number) => Runs | undefined;

/**
 * How to aggregate packed records without making rows of them: for windows that do not overlap, keys that are columns of integers or the key of the
 * records, and simple aggregates of columns of numbers. Undefined for other plans.
 *
 * Which rows are late is told by run, exactly: the watermark before a row of a run is that before the run, or the time of a row of the same window, which
 * closes no window of its own.
 */
export function packedRuns({
  node,
  keyColumns,
  keyDtypes,
  aggregates,
  rowStore,
  distinct,
  store,
}: WindowPlan): RunsOf | undefined {
  const { calendar, every, period, grace, indexColumn } = node;
  const aggregated = aggregates.partials.flatMap(({ name, label, simple }) =>
    simple === undefined ? [] : [{ name, label, ...simple }],
  );
  const keys = keyColumns.filter((name) => name !== undefined);
  if (calendar !== undefined || every !== period || rowStore !== undefined || distinct.length > 0) return undefined;
  if (aggregated.length < aggregates.partials.length || keys.length < keyColumns.length) return undefined;
  const dtypes = aggregated.map(({ label }) => store.schema[label]!);
  const windows = windowSequence(node);

  return (batch, watermark) => {
    if (indexColumn !== "_time" && indexColumn !== batch.time) return undefined;
    const ofRecord = keys.map((name) => name === "_key" || name === batch.keyColumn);
    const own = [...keys.keys()].filter((i) => !ofRecord[i]);
    if (own.some((i) => !INTEGER.test(keyDtypes[i]!) || !batch.columns.has(keys[i]!))) return undefined;
    if (aggregated.some(({ column }) => column !== undefined && !batch.columns.has(column))) return undefined;
    const ownKeys = own.map((i) => batch.columns.get(keys[i]!)!);
    // of all rows their number is known
    const values = aggregated.map(({ take, column }) => (take === "rows" ? undefined : batch.columns.get(column!)!));
    const times = batch.time === undefined ? undefined : batch.columns.get(batch.time)!;
    const runs = new RunBuilder(aggregated, own.length);
    let reached = Number.isNaN(watermark) ? Number.NEGATIVE_INFINITY : watermark;
    let late = 0;
    for (const [record, rows] of batch.rows.entries()) {
      if (rows === 0) continue;
      const greatest = batch.greatest[record]!;
      const window = windows.newest(batch.least[record]!);
      const within = window === windows.newest(greatest);
      if (within && windows.end(window) + grace <= reached) {
        late += rows;
        continue; // and all of them are behind the watermark
      }
      const part: RecordPart = {
        record,
        keys: ownKeys.map((column) => numbersOf(column[record]!)),
        values: values.map((column) => column && numbersOf(column[record]!)),
      };
      const time = within ? undefined : numbersOf(times![record]!);
      for (let from = 0; from < rows; ) {
        let to = runEnd(part.keys, from, rows);
        if (time === undefined) runs.add(part, window, from, to);
        else {
          const own = windows.newest(time[from]!);
          const isLate = windows.end(own) + grace <= reached;
          to = windowEnd(time, from, to, windows.start(own), windows.end(own));
          for (let i = from; i < to; i++) if (time[i]! > reached) reached = time[i]!;
          if (isLate) late += to - from;
          else runs.add(part, own, from, to);
        }
        from = to;
      }
      if (greatest > reached) reached = greatest;
    }
    return { frame: runs.frame(batch, { ofRecord, keyDtypes, dtypes }), late };
  };
}

const INTEGER = /^U?Int\d+$/;

/** Behind the last row of the run: rows whose keys are those of the row at `from`. */
function runEnd(keys: readonly Numbers[], from: number, rows: number): number {
  let end = rows;
  for (const key of keys) {
    const value = key[from]!;
    let to = from + 1;
    while (to < end && key[to] === value) to++;
    end = to;
  }
  return end;
}

/** Behind the last row before `end` whose time is in the window of the row at `from`. */
function windowEnd(times: Numbers, from: number, end: number, opens: number, closes: number): number {
  let to = from + 1;
  while (to < end && times[to]! >= opens && times[to]! < closes) to++;
  return to;
}

/** What is read of a record: its keys, and the values of each aggregate. */
interface RecordPart {
  readonly record: number;
  readonly keys: readonly Numbers[];
  readonly values: readonly (Numbers | undefined)[];
}

interface NamedAggregate extends SimpleAggregate {
  readonly name: string;
}

class RunBuilder {
  readonly #aggregates: readonly NamedAggregate[];
  readonly #partials: number[][];
  readonly #keys: number[][];
  readonly #records: number[] = [];
  readonly #windows: number[] = [];
  readonly #rows: number[] = [];

  constructor(aggregates: readonly NamedAggregate[], keys: number) {
    this.#aggregates = aggregates;
    this.#partials = aggregates.map(() => []);
    this.#keys = Array.from({ length: keys }, () => []);
  }

  /** The rows of a record from `from` to before `to`. */
  add({ record, keys, values }: RecordPart, window: number, from: number, to: number): void {
    this.#records.push(record);
    this.#windows.push(window);
    this.#rows.push(to - from);
    for (const [i, key] of keys.entries()) this.#keys[i]!.push(key[from]!);
    for (const [i, { take }] of this.#aggregates.entries())
      this.#partials[i]!.push(take === "rows" ? to - from : TAKE[take](values[i]!, from, to));
  }

  frame(batch: PackedRecords, { ofRecord, keyDtypes, dtypes }: RunColumns): pl.DataFrame {
    const texts = pl.Series(
      "_key",
      this.#records.map((record) => batch.keys[record]!),
      pl.Utf8,
    );
    let at = 0;
    const keys = ofRecord.map((isRecord, i) => {
      const name = `§key_${i}`;
      return isRecord ? texts.alias(name) : numberSeries(name, Float64Array.from(this.#keys[at++]!), keyDtypes[i]!);
    });
    return frameOf([
      ...keys,
      numberSeries("§window", Float64Array.from(this.#windows), "Int64"),
      texts,
      pl.Series("_partition", new Int32Array(this.#rows.length).fill(batch.partition)),
      ...this.#aggregates.map(({ name }, i) => numberSeries(name, Float64Array.from(this.#partials[i]!), dtypes[i]!)),
      numberSeries("_rows", Float64Array.from(this.#rows), "Int64"),
    ]);
  }
}

interface RunColumns {
  /** Which keys are those of the records. */
  readonly ofRecord: readonly boolean[];
  readonly keyDtypes: readonly string[];
  /** Of the partial aggregates. */
  readonly dtypes: readonly string[];
}

/** Of the values from `from` to before `to`, of which there is one at least. Like Polars, the least and greatest are NaN only where all are. */
const TAKE: Readonly<
  Record<Exclude<SimpleAggregate["take"], "rows">, (values: Numbers, from: number, to: number) => number>
> = {
  first: (values, from) => values[from]!,
  last: (values, _from, to) => values[to - 1]!,
  sum,
  min: (values, from, to) => {
    let least = values[from]!;
    for (let i = from + 1; i < to; i++) {
      const value = values[i]!;
      if (value < least || Number.isNaN(least)) least = value;
    }
    return least;
  },
  max: (values, from, to) => {
    let greatest = values[from]!;
    for (let i = from + 1; i < to; i++) {
      const value = values[i]!;
      if (value > greatest || Number.isNaN(greatest)) greatest = value;
    }
    return greatest;
  },
  mean: (values, from, to) => sum(values, from, to) / (to - from),
  squares: (values, from, to) => {
    const mean = sum(values, from, to) / (to - from);
    let squares = 0;
    for (let i = from; i < to; i++) squares += (values[i]! - mean) ** 2;
    return squares;
  },
};

function sum(values: Numbers, from: number, to: number): number {
  let total = 0;
  for (let i = from; i < to; i++) total += values[i]!;
  return total;
}
