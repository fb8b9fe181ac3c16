import type pl from "nodejs-polars";
import { once } from "../../once.ts";
import { frameOf } from "../../polars/frame-of.ts";
import { numberSeries } from "../../polars/number-series.ts";
import type { Schema } from "../../schema.ts";
import type { Decoded, Numbers } from "../format.ts";
import { numbersOf } from "../longs.ts";
import type { PlainMessages } from "./plain-messages.ts";

/** Messages of plain numbers as a format gives them: rows of a frame only where somebody wants them. @param schema of the columns */
export function packedDecoded(packed: PlainMessages, schema: Schema): Decoded {
  const rows = packed.rows.reduce((sum, rows) => sum + rows, 0);
  const frame = once(() =>
    frameOf(
      [...packed.columns].map(([name, parts]) => numberSeries(name, joined(parts.map(numbersOf), rows), schema[name]!)),
    ),
  );
  const good = once(() => recordsOfRows(packed.rows, rows));
  return {
    rows,
    bad: [],
    unknownFields: packed.unknownFields,
    packed,
    get frame(): pl.DataFrame {
      return frame();
    },
    get good(): Uint32Array {
      return good();
    },
  };
}

/** Its record for each row. @param rows of each record @param records which these are; from 0 on by default */
export function recordsOfRows(rows: readonly number[], length: number, records?: readonly number[]): Uint32Array {
  const all = new Uint32Array(length);
  let at = 0;
  for (const [i, count] of rows.entries()) {
    all.fill(records?.[i] ?? i, at, at + count);
    at += count;
  }
  return all;
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
