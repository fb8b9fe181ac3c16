import pl from "nodejs-polars";
import type { Wire, WireSchema } from "./wire.ts";

/** Stands in for a program that uses no column at all: a frame without columns would have no height. */
const NO_COLUMN = "\u0000";

/** The native parser copies what it keeps, so one buffer serves all calls; fresh ones of this size keep the garbage collector busy. */
let scratch = Buffer.alloc(0);
const LARGEST_KEPT = 32 * 2 ** 20;

function framed(first: Uint8Array, lines: Uint8Array): Buffer {
  const length = first.length + lines.length + AFTER.length;
  let target = scratch;
  if (target.length < length) {
    target = Buffer.allocUnsafeSlow(Math.ceil(length * 1.25));
    if (target.length <= LARGEST_KEPT) scratch = target;
  }
  target.set(first, 0);
  target.set(lines, first.length);
  target.set(AFTER, first.length + lines.length);
  return target.subarray(0, length);
}

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
      return pl.readJSON(framed(this.#first, lines), { format: "lines", inferSchemaLength: 1 });
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
