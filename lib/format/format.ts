import type pl from "nodejs-polars";
import type { ByteColumn, RecordColumns } from "../log/columns.ts";
import type { Schema } from "../schema.ts";
import type { Longs } from "./longs.ts";

/** A record whose value could not be read, and why. */
export interface BadValue {
  /** Its place among the records that were given. */
  readonly index: number;
  /** For a reader, in one phrase: `gForceX: "fast" is not a Float64`. */
  readonly reason: string;
}

export interface Decoded {
  /** One row per good record (Arrow: as many as it holds), in order; the columns asked for, in schema order. */
  readonly frame: pl.DataFrame;
  /** Number of rows. A frame without columns has no height, so it is said here. */
  readonly rows: number;
  /** In order of index. */
  readonly bad: readonly BadValue[];
  /** Which records the rows are; absent when all are good and each is one row. A record of many rows (Arrow) stands here once for each. */
  readonly good?: Uint32Array;
  /** Fields that hold a value and are not in the schema, counted over the good records. */
  readonly unknownFields: number;
  /** The same columns as they lie in the records, where all are good and hold plain numbers (Arrow); `frame` is then made when it is first asked for. */
  readonly packed?: PackedColumns;
}

export type Numbers =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** The values of a column in one record; integers of 64 bits and times are read when somebody wants them. */
export type Values = Numbers | Longs;

/** Columns of records that hold many rows each, without nulls. */
export interface PackedColumns {
  /** How many rows each record has. */
  readonly rows: readonly number[];
  /** Column -> its values in each record. */
  readonly columns: ReadonlyMap<string, readonly Values[]>;
}

export interface DecodeOptions {
  /** The columns wanted; only they decide whether a record is bad. All of the schema when absent. */
  readonly used?: readonly string[];
}

/**
 * Message values to typed columns and back. Nothing is skipped silently: every record that was given is a row or is bad with a reason.
 * Dtypes of a schema given here are those of the wire; see the format for what it adds (`Datetime(s)`).
 */
export interface Format {
  decode(columns: RecordColumns, schema: Schema, options?: DecodeOptions): Decoded;
  /**
   * One value per row of `frame`, made of these columns in this order.
   * @param topic the topic to be written to: names the subject in a schema registry
   */
  encode(frame: pl.DataFrame, columns: readonly string[], topic?: string): ByteColumn;
  /** A schema that fits the sample. An empty sample gives an empty schema. */
  inferSchema(samples: readonly RecordColumns[]): Schema;
  /** The schema that a registry has for the values of a topic, which may have no records yet; undefined where it has none. */
  registered?(topic: string): Schema | undefined;
}
