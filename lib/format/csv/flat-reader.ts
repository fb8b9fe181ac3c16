import type { RecordColumns } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import { emptied, FLAT, type FlatColumn, flatColumn, flatFrame } from "../flat/columns.ts";
import type { FlatReader } from "../flat/reading.ts";
import type { Decoded } from "../format.ts";
import { scanInstant } from "../json/scan-instant.ts";
import { NumberScan } from "../json/scan-number.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const RETURN = 0x0d;

/**
 * Reads lines without quotes straight from the bytes into columns. It takes a batch only if every line is one that it reads exactly as the other way
 * (by a line of JSON) does, and gives up at the first that is not: quotes, fields too few or too many, anything that may be bad.
 */
export class FlatCsv implements FlatReader {
  /** In the order of the schema; undefined for a column that nobody wants. */
  readonly #columns: readonly (FlatColumn | undefined)[];
  readonly #wanted: readonly FlatColumn[];
  readonly #number = new NumberScan();
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(schema: Schema, wanted: readonly string[]) {
    this.#columns = Object.entries(schema).map(([name, dtype]) =>
      wanted.includes(name) ? flatColumn(name, dtype) : undefined,
    );
    this.#wanted = this.#columns.filter((column) => column !== undefined);
  }

  /** Undefined where a dtype that is wanted is not flat. */
  static of(schema: Schema, wanted: readonly string[]): FlatCsv | undefined {
    const flat = wanted.length > 0 && wanted.every((name) => FLAT.test(schema[name]!) && schema[name] !== "Date");
    return flat ? new FlatCsv(schema, wanted) : undefined;
  }

  read({ values, count }: RecordColumns): Decoded | undefined {
    const { starts, ends, nulls } = values;
    if (nulls !== undefined || count === 0) return undefined;
    this.#bytes = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
    for (const column of this.#wanted) emptied(column, count);
    for (let row = 0; row < count; row++) if (!this.#line(starts[row]!, ends[row]!, row)) return undefined;
    const frame = flatFrame(this.#wanted, this.#bytes);
    if (frame === undefined) return undefined;
    return { frame, rows: count, bad: [], unknownFields: 0 };
  }

  #line(start: number, end: number, row: number): boolean {
    const bytes = this.#bytes;
    const { length } = this.#columns;
    let at = start;
    for (let place = 0; place < length; place++) {
      const from = at;
      for (; at < end; at++) {
        const byte = bytes[at]!;
        if (byte === COMMA) break;
        if (byte === QUOTE || byte === RETURN) return false;
      }
      const column = this.#columns[place];
      // an empty field is null, as columns are before
      if (column !== undefined && at > from && !this.#cell(column, from, at, row)) return false;
      if (place === length - 1) return at === end;
      if (at === end) return false;
      at++;
    }
    return false;
  }

  #cell(column: FlatColumn, from: number, to: number, row: number): boolean {
    const { dtype, cells } = column;
    if (dtype === "Utf8") {
      column.starts[row] = from;
      column.ends[row] = to;
      return true;
    }
    const bytes = this.#bytes;
    if (dtype === "Boolean") {
      const text = bytes.toString("latin1", from, to);
      cells[row] = text === "true" ? 1 : 0;
      return text === "true" || text === "false";
    }
    if (dtype.startsWith("Datetime") && bytes[from + 4] === 0x2d) {
      cells[row] = scanInstant(bytes, from, dtype === "Datetime(us)" ? 1e6 : 1e3, to);
      return !Number.isNaN(cells[row]);
    }
    if (this.#number.scan(bytes, from, to) !== to) return false;
    const { value, whole } = this.#number;
    cells[row] = dtype === "Datetime(s)" ? value * 1000 : value;
    return dtype === "Float64" || (whole && Number.isSafeInteger(cells[row]));
  }
}
