import pl from "nodejs-polars";
import type { Wire, WireSchema } from "./wire.ts";

/** Stands in for a program that uses no column at all: a frame without columns would have no height. */
const NO_COLUMN = "\u0000";

/** Polars 0.55 samples line lengths and reads past the end when the first `}\n` it finds is the last byte of the buffer; a blank line is no row. */
const AFTER = Buffer.from("\n");

/**
 * Polars' own JSON lines reader with the dtypes forced: they are taken from a made-up first record, which is cut off again
 * (`inferSchemaLength: 1`; a `schema` option is ignored by nodejs-polars 0.26).
 */
export class NativeParser {
  readonly #first: Buffer;

  constructor(wires: WireSchema) {
    const fields = [...wires].map(([name, wire]) => `${JSON.stringify(name)}:${example(wire)}`);
    if (fields.length === 0) fields.push(`${JSON.stringify(NO_COLUMN)}:true`);
    this.#first = Buffer.from(`{${fields.join(",")}}\n`);
  }

  /**
   * One row per non-blank line; undefined when any line is no JSON object or does not fit. The made-up record is row 0 of the
   * answer: struct columns of a sliced frame cannot be taken apart, so who needs that does it before cutting.
   */
  parse(lines: Uint8Array = AFTER): pl.DataFrame | undefined {
    try {
      return pl.readJSON(Buffer.concat([this.#first, lines, AFTER]), { format: "lines", inferSchemaLength: 1 });
    } catch {
      return undefined;
    }
  }
}

/** A value that Polars infers exactly this dtype from. */
function example(wire: Wire): string {
  switch (wire.kind) {
    case "Int64":
      return "1";
    case "Float64":
      return "0.5";
    case "Utf8":
      return '""';
    case "Boolean":
      return "true";
    case "List":
      return `[${example(wire.inner)}]`;
    case "Struct":
      return `{${[...wire.fields].map(([name, field]) => `${JSON.stringify(name)}:${example(field)}`).join(",")}}`;
  }
}
