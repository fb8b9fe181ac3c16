import pl from "nodejs-polars";
import { isNested, type Wire } from "./wire.ts";

/** What a parsed frame holds, its made-up first row not counted. */
export interface Cells {
  /** Fields that hold a value, at every depth. */
  readonly filled: number;
  /** Top-level cells that are null. */
  readonly empty: number;
}

type Wires = ReadonlyMap<string, Wire>;

/** @param frame with the made-up first row, whose every field is filled */
export function countCells(frame: pl.DataFrame, wires: Wires): Cells {
  const rows = frame.height - 1;
  // of the frame at once: every Series object that nodejs-polars makes costs a fraction of a millisecond
  let empty = 0;
  if (wires.size > 0) for (const nulls of frame.nullCount().row(0)) empty += Number(nulls);
  let filled = rows * wires.size - empty;
  for (const [name, wire] of wires)
    if (isNested(wire)) filled += inside(frame.getColumn(name), wire) - exampleFields(wire);
  return { filled, empty };
}

/** Fields that hold a value inside a column of lists or structs. */
function inside(series: pl.Series, wire: Wire): number {
  if (wire.kind === "List") return isNested(wire.inner) ? inside(series.explode(), wire.inner) : 0;
  if (wire.kind !== "Struct" || wire.fields.size === 0) return 0;
  const fields = pl.DataFrame([series]).unnest(series.name);
  let count = 0;
  for (const [name, field] of wire.fields) {
    const column = fields.getColumn(name);
    count += column.length - column.nullCount();
    if (isNested(field)) count += inside(column, field);
  }
  return count;
}

function exampleFields(wire: Wire): number {
  if (wire.kind === "List") return exampleFields(wire.inner);
  if (wire.kind !== "Struct") return 0;
  return [...wire.fields.values()].reduce((sum, field) => sum + 1 + exampleFields(field), 0);
}

/** Whether a text column may hold an object or array, which the native parser writes in a way that is no JSON. */
export function holdsNestedText(frame: pl.DataFrame, wires: Wires): boolean {
  for (const [name, wire] of wires) {
    if (wire.kind === "Utf8") {
      if (frame.getColumn(name).str.contains("^[\\[{]").sum() > 0) return true;
    } else if (isNested(wire) && holdsText(wire)) return true;
  }
  return false;
}

function holdsText(wire: Wire): boolean {
  if (wire.kind === "List") return holdsText(wire.inner);
  if (wire.kind === "Struct") return [...wire.fields.values()].some(holdsText);
  return wire.kind === "Utf8";
}
