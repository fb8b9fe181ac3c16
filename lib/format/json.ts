import pl from "nodejs-polars";
import type { ByteColumn, RecordColumns } from "../log/columns.ts";
import type { Schema } from "../schema.ts";
import { flatReadings } from "./flat/reading.ts";
import type { BadValue, Decoded, DecodeOptions, Format } from "./format.ts";
import { fromWire } from "./json/convert.ts";
import { decodeValues } from "./json/decode-values.ts";
import { encodeRows } from "./json/encode.ts";
import { FlatReader } from "./json/flat-reader.ts";
import { inferSchema } from "./json/infer.ts";
import { type InstantForm, wireSchema } from "./json/wire.ts";

/**
 * One JSON object per message.
 *
 * Reading. A missing field is null; an unknown one is ignored and counted. A value that does not fit a used column makes the record bad:
 * `1.5` or text in an Int64 column, anything but true and false in a Boolean one; a whole number fits Float64, and `1.0` fits Int64.
 * Utf8 holds text; a number or Boolean becomes its text and an object or array its compact JSON. Of repeated fields the last one counts.
 * Datetimes are numbers (of the unit in their dtype since the epoch; `Datetime(s)` reads seconds and arrives as `Datetime(ms)`) or ISO 8601
 * text, UTC unless it names a zone. `Date` is `YYYY-MM-DD`, a `Duration` a whole number of its unit. A tombstone, an empty value, text that
 * is not UTF-8, anything that is no JSON object, and nesting beyond 200 levels are bad.
 *
 * Writing. Datetimes become ISO 8601 in UTC (`2026-01-01T00:00:00.000Z`), dates `YYYY-MM-DD`, durations a whole number of their unit; NaN
 * and the infinities have no form in JSON and become null.
 */
export const jsonFormat: Format = {
  decode(columns: RecordColumns, schema: Schema, options: DecodeOptions = {}): Decoded {
    const wanted = options.used === undefined ? undefined : new Set(options.used);
    const names = Object.keys(schema).filter((name) => wanted?.has(name) ?? true);
    const flat = flatReading(schema, names).read(columns);
    if (flat !== undefined) return flat;
    const known = new Set(Object.keys(schema));
    const instants = names.filter((name) => /^Datetime/.test(schema[name]!));
    let form: InstantForm = instants.length > 0 ? (instantForms.get(schema) ?? "Int64") : "Int64";
    let values = decodeValues(columns, wireSchema(schema, names, form), known);
    if (form === "Int64" && values.bad.some(({ reason }) => instants.some((name) => reason.startsWith(`${name}: `)))) {
      // perhaps the instants are text; which form is tried first changes the speed only, so it is remembered
      form = "Utf8";
      values = decodeValues(columns, wireSchema(schema, names, form), known);
      instantForms.set(schema, form);
    }
    const { frame, misfits } = fromWire(values.frame, schema, names, form);
    if (misfits.length === 0) return { ...values, frame };
    return without(values, frame, misfits, columns.count);
  },
  encode(frame: pl.DataFrame, columns: readonly string[]): ByteColumn {
    return encodeRows(frame, columns);
  },
  inferSchema(samples: readonly RecordColumns[]): Schema {
    return inferSchema(samples);
  },
};

const flatReading = flatReadings((schema, wanted) => FlatReader.of(schema, wanted));

const instantForms = new WeakMap<Schema, InstantForm>();

/** Takes rows that turned out bad after the parse out of the frame. */
function without(
  values: Decoded,
  frame: pl.DataFrame,
  misfits: readonly { row: number; reason: string }[],
  count: number,
): Decoded {
  const indexOf = values.good ?? Uint32Array.from({ length: count }, (_, i) => i);
  const misfitRows = new Set(misfits.map(({ row }) => row));
  const rows = Uint32Array.from({ length: values.rows }, (_, i) => i).filter((row) => !misfitRows.has(row));
  const bad: BadValue[] = misfits.map(({ row, reason }) => ({ index: indexOf[row]!, reason }));
  return {
    frame: frame.select(pl.all().gather([...rows])),
    rows: rows.length,
    bad: [...values.bad, ...bad].sort((a, b) => a.index - b.index),
    good: rows.map((row) => indexOf[row]!),
    unknownFields: values.unknownFields,
  };
}
