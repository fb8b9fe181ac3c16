import assert from "node:assert/strict";
import polars from "nodejs-polars";
import { schemaOf } from "../../../lib/schema.ts";

/** Asserts equal columns, dtypes and rows: whole numbers to the last digit, floats to 1e-9 relative (1e-5 for Float32). */
export function assertSame(actual: polars.DataFrame, expected: polars.DataFrame, what: string): void {
  const schema = schemaOf(expected);
  if (expected.height > 0) assert.deepEqual(schemaOf(actual), schema, `${what}: columns and dtypes`);
  assert.equal(actual.height, expected.height, `${what}: number of rows`);
  for (const [name, dtype] of Object.entries(schema)) {
    const tolerance = dtype.includes("Float32") ? 1e-4 : 1e-9;
    const [got, wanted] = [cells(actual, name), cells(expected, name)];
    const row = wanted.findIndex((cell, i) => !close(got[i], cell, tolerance));
    if (row >= 0) assert.fail(`${what}: row ${row} of "${name}" (${dtype}) is ${got[row]}, expected ${wanted[row]}`);
  }
}

/** Values that compare exactly: what JavaScript has no number for as text. */
function cells(frame: polars.DataFrame, name: string): unknown[] {
  const column = frame.getColumn(name);
  const dtype = schemaOf(frame)[name]!;
  if (dtype.startsWith("Float") || dtype === "Utf8" || dtype === "Boolean") return [...column.toArray()];
  if (dtype.startsWith("List") || dtype.startsWith("Struct")) {
    const json = polars
      .DataFrame([column])
      .rename({ [name]: "value" })
      .writeJSON({ format: "lines" })
      .toString();
    return json.split("\n").filter(Boolean);
  }
  return [...(dtype === "Utf8" ? column : column.cast(polars.Int64).cast(polars.Utf8)).toArray()];
}

function close(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === "number" && typeof b === "number")
    return Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
  return a === b;
}
