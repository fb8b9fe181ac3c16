import type pl from "nodejs-polars";
import { frameOf } from "../../polars/frame-of.ts";
import { numberSeries } from "../../polars/number-series.ts";
import type { Schema } from "../../schema.ts";
import type { Decoded, Numbers } from "../format.ts";
import { numbersOf } from "../longs.ts";
import type { PlainColumns } from "./plain-columns.ts";

/** Messages of plain numbers: rows of a frame only where somebody wants them. */
export class PackedDecoded implements Decoded {
  readonly rows: number;
  readonly bad = [];
  readonly unknownFields: number;
  readonly packed: PlainColumns;
  readonly #schema: Schema;
  #frame: pl.DataFrame | undefined;

  /** @param schema of the columns */
  constructor(packed: PlainColumns, schema: Schema) {
    this.packed = packed;
    this.unknownFields = packed.unknownFields;
    this.rows = packed.rows.reduce((sum, rows) => sum + rows, 0);
    this.#schema = schema;
  }

  get frame(): pl.DataFrame {
    this.#frame ??= frameOf(
      [...this.packed.columns].map(([name, parts]) =>
        numberSeries(name, joined(parts.map(numbersOf), this.rows), this.#schema[name]!),
      ),
    );
    return this.#frame;
  }

  get good(): Uint32Array {
    const good = new Uint32Array(this.rows);
    let at = 0;
    for (const [index, rows] of this.packed.rows.entries()) {
      good.fill(index, at, at + rows);
      at += rows;
    }
    return good;
  }
}

function joined(parts: readonly Numbers[], length: number): Numbers {
  const [first] = parts;
  if (first === undefined) return new Float64Array();
  const all = new (first.constructor as new (length: number) => Numbers)(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
