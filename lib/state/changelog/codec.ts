import pl from "nodejs-polars";
import { jsonFormat } from "../../format/index.ts";
import type { ByteColumn, RecordColumns } from "../../log/columns.ts";
import { dtypeOf, type Schema } from "../../schema.ts";
import { type DTypeTree, parseDType } from "../dtype-tree.ts";
import type { Changes } from "../memory-store.ts";
import type { StoreSpec } from "../store.ts";

/**
 * Rows of a store as changelog records and back, exactly. The key of a record is the row's primary key, its value the whole row, both JSON
 * objects that a person can read; a removed row is a tombstone. What JSON cannot say is text: floats (NaN, -0, infinities, every
 * digit) and 64-bit integers (beyond 2^53 for other readers). Dates, datetimes, durations and times are the integers behind them.
 */
export class ChangelogCodec {
  readonly #spec: StoreSpec;
  readonly #row: Wire;
  readonly #key: Wire;

  constructor(spec: StoreSpec) {
    this.#spec = spec;
    this.#row = new Wire(spec.schema);
    this.#key = new Wire(Object.fromEntries(spec.key.map((name) => [name, spec.schema[name] as string])));
  }

  /** @param now timestamp of the records, ms since the epoch */
  encode(changes: Changes, now: number): RecordColumns {
    return this.encodeEach([changes], now)[0]!;
  }

  /** The changes of several partitions, written in one go: as many queries as for one. */
  encodeEach(changes: readonly Changes[], now: number): RecordColumns[] {
    const upserted = stacked(changes.map(({ upserted }) => upserted));
    const removed = stacked(changes.map(({ removed }) => removed));
    const rows = this.#row.encode(upserted);
    const keys = this.#key.encode(this.#normal(stacked([upserted.select(...this.#spec.key), removed])));
    let [row, tombstone] = [0, upserted.height];
    return changes.map(({ upserted, removed }) => {
      const [first, last] = [row, row + upserted.height];
      const [firstGone, lastGone] = [tombstone, tombstone + removed.height];
      [row, tombstone] = [last, lastGone];
      const count = upserted.height + removed.height;
      return {
        count,
        keys: part(keys, [first, last], [firstGone, lastGone]),
        values: withTombstones(part(rows, [first, last]), removed.height),
        timestamps: new Float64Array(count).fill(now),
      };
    });
  }

  /** The last word on every key in these records. */
  decode(columns: RecordColumns): Changes {
    const last = new Map<string, number>();
    const keys = Buffer.from(columns.keys.bytes.buffer, columns.keys.bytes.byteOffset, columns.keys.bytes.byteLength);
    for (let i = 0; i < columns.count; i++)
      last.set(keys.toString("latin1", columns.keys.starts[i], columns.keys.ends[i]), i);
    const upserts: number[] = [];
    const tombstones: number[] = [];
    for (const i of last.values()) (columns.values.nulls?.[i] === 1 ? tombstones : upserts).push(i);
    return {
      upserted: this.#row.decode(lines(columns.values, upserts)),
      removed: this.#key.decode(lines(columns.keys, tombstones)),
    };
  }

  /** One key, one text: -0 is 0. */
  #normal(keys: pl.DataFrame): pl.DataFrame {
    const floats = this.#spec.key.filter((name) => /^Float/.test(this.#spec.schema[name] as string));
    if (floats.length === 0) return keys;
    return keys.withColumns(
      ...floats.map((name) =>
        pl
          .when(pl.col(name).eq(pl.lit(0)))
          .then(pl.col(name).abs())
          .otherwise(pl.col(name))
          .alias(name),
      ),
    );
  }
}

/** Columns in the dtypes in which they travel. */
class Wire {
  readonly #schema: Schema;
  readonly #wire: Schema;
  readonly #casts: pl.Expr[];
  readonly #backCasts: pl.Expr[];

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#wire = Object.fromEntries(Object.entries(schema).map(([name, dtype]) => [name, wireName(parseDType(dtype))]));
    const cast = (name: string, dtype: string) =>
      dtype === "Null" ? pl.lit(null as unknown as string).alias(name) : pl.col(name).cast(dtypeOf(dtype)).alias(name);
    this.#casts = Object.entries(this.#wire).map(([name, dtype]) =>
      schema[name] === "Null"
        ? pl
            .lit(null as unknown as string)
            .cast(pl.Utf8)
            .alias(name)
        : cast(name, dtype),
    );
    this.#backCasts = Object.entries(schema).map(([name, dtype]) => cast(name, dtype));
  }

  encode(frame: pl.DataFrame): ByteColumn {
    if (frame.height === 0) return { bytes: new Uint8Array(0), starts: new Uint32Array(0), ends: new Uint32Array(0) };
    return jsonFormat.encode(frame.select(...this.#casts), Object.keys(this.#schema));
  }

  decode(values: ByteColumn): pl.DataFrame {
    const count = values.starts.length;
    const columns: RecordColumns = { count, keys: NO_BYTES, values, timestamps: new Float64Array(count) };
    const { frame, bad } = jsonFormat.decode(columns, this.#wire);
    if (bad.length > 0) throw new TypeError(`a changelog record cannot be read: ${bad[0]?.reason}`);
    return frame.select(...this.#backCasts);
  }
}

/** The dtype a value travels in: text, Boolean, or an integer that every JSON reader reads exactly. */
function wireName(tree: DTypeTree): string {
  switch (tree.kind) {
    case "List":
      return `List(${wireName(tree.inner)})`;
    case "Struct":
      return `Struct{${tree.fields.map((field) => `${field.name}:${wireName(field.dtype)}`).join(",")}}`;
    case "simple":
      if (/^(U?Int(8|16|32)|Date|Time)$/.test(tree.name)) return "Int64";
      return tree.name === "Boolean" ? "Boolean" : "Utf8";
    default:
      return "Int64";
  }
}

const NO_BYTES: ByteColumn = { bytes: new Uint8Array(0), starts: new Uint32Array(0), ends: new Uint32Array(0) };

/** One frame of several, with no query where all but one are empty. */
function stacked(frames: readonly pl.DataFrame[]): pl.DataFrame {
  const filled = frames.filter(({ height }) => height > 0);
  return filled.length > 1 ? pl.concat([...filled]) : (filled[0] ?? frames[0]!);
}

/** The strings at these ranges of places, one range after the other. */
function part({ bytes, starts, ends }: ByteColumn, ...ranges: readonly (readonly [number, number])[]): ByteColumn {
  const size = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  if (size === starts.length) return { bytes, starts, ends };
  const taken = { bytes, starts: new Uint32Array(size), ends: new Uint32Array(size) };
  let at = 0;
  for (const [from, to] of ranges) {
    taken.starts.set(starts.subarray(from, to), at);
    taken.ends.set(ends.subarray(from, to), at);
    at += to - from;
  }
  return taken;
}

/** Adds `count` nulls at the end. */
function withTombstones(values: ByteColumn, count: number): ByteColumn {
  if (count === 0) return values;
  const held = values.starts.length;
  const grown = (array: Uint32Array) => {
    const longer = new Uint32Array(held + count);
    longer.set(array);
    return longer;
  };
  const nulls = new Uint8Array(held + count).fill(1, held);
  return { bytes: values.bytes, starts: grown(values.starts), ends: grown(values.ends), nulls };
}

/** The strings at these places, each followed by a newline, as a line parser wants them. */
function lines(column: ByteColumn, places: readonly number[]): ByteColumn {
  const starts = new Uint32Array(places.length);
  const ends = new Uint32Array(places.length);
  let size = 0;
  for (const i of places) size += (column.ends[i] as number) - (column.starts[i] as number) + 1;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const [n, i] of places.entries()) {
    const one = column.bytes.subarray(column.starts[i], column.ends[i]);
    bytes.set(one, at);
    starts[n] = at;
    at += one.length;
    ends[n] = at;
    bytes[at++] = 0x0a;
  }
  return { bytes, starts, ends };
}
