import type { Schema } from "../schema.ts";
import type { ColumnBuilder } from "./column-builder.ts";
import type { RowView } from "./row-view.ts";

/** The integers that a dtype takes from code. */
export const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  Int8: [-(2 ** 7), 2 ** 7 - 1],
  Int16: [-(2 ** 15), 2 ** 15 - 1],
  Int32: [-(2 ** 31), 2 ** 31 - 1],
  Int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UInt8: [0, 2 ** 8 - 1],
  UInt16: [0, 2 ** 16 - 1],
  UInt32: [0, 2 ** 32 - 1],
  UInt64: [0, Number.MAX_SAFE_INTEGER],
};

/** What a builder of rows judges itself; each throws where what was given does not fit. */
export interface RowChecks {
  readonly object: (row: unknown) => void;
  readonly names: (row: object) => void;
  readonly list: (rows: unknown) => void;
}

/** Told of a row of the view that fails; the first `good` rows of the builder are those of the rows before it. */
export type Bad = (at: number, good: number, error: unknown) => void;

export type RowFunction = (row: RowView["row"]) => unknown;
type Push = (row: unknown) => void;
type PushEach = (fn: RowFunction, view: RowView, height: number, bad: Bad) => void;
type PushAllOfEach = (fn: RowFunction, view: RowView, height: number, places: Places, bad: Bad) => void;

/** Of rows given, the places of those that they come from; kept from batch to batch. */
export class Places {
  at = new Int32Array(1024);
  length = 0;

  /** Room for twice as many. */
  more(): Int32Array {
    const at = new Int32Array(2 * this.at.length);
    at.set(this.at);
    this.at = at;
    return at;
  }
}

/**
 * Loops over rows, written out for the names and dtypes of their columns. One loop for all would look every property and every kind of column up
 * again, a third of the time of a row; and it would call the functions of all notebooks at one place, where the engine inlines none of them.
 * What fits goes straight into a number column's array; all else goes through `push`, which judges it.
 */
export class RowCode {
  readonly #schema: Schema;
  readonly #columns: readonly ColumnBuilder[];
  readonly #checks: RowChecks;

  constructor(schema: Schema, columns: readonly ColumnBuilder[], checks: RowChecks) {
    this.#schema = schema;
    this.#columns = columns;
    this.#checks = checks;
  }

  /** Pushes the cells of one row. */
  push(): Push {
    return this.#compiled(`(row) => { let v, n, given = 0;\n${this.#row()}\n}`) as Push;
  }

  /** Pushes the row that a function gives for each row of a view. */
  pushEach(): PushEach {
    const body = `row = fn(seen);\n${this.#row()}\ngood++;`;
    return this.#compiled(`(fn, view, height, bad) => {\n${loop(body)}\n}`) as PushEach;
  }

  /** Pushes all rows that a function gives for each row of a view, and notes the place of the row that each comes from. */
  pushAllOfEach(): PushAllOfEach {
    const one = `${this.#row()}\nif (count === at.length) at = places.more();\nat[count++] = i;`;
    const body = `rows = fn(seen);
if (rows === null || rows === undefined) continue;
if (Array.isArray(rows)) for (let k = 0; k < rows.length; k++) { row = rows[k];\n${one}\n}
else { checks.list(rows); for (row of rows) {\n${one}\n} }
good = count;`;
    return this.#compiled(`(fn, view, height, places, bad) => {
let at = places.at, count = 0;
${loop(body, "count = good;")}
places.length = count;
}`) as PushAllOfEach;
  }

  /** Of `row`: each cell to its column. */
  #row(): string {
    const cells = Object.entries(this.#schema).map(([name, dtype], i) => cell(name, dtype, i));
    return `if (typeof row !== "object" || row === null) checks.object(row);
${cells.join("\n")}
given = 0;
for (const name in row) given++;
if (given > ${cells.length}) checks.names(row);`;
  }

  #compiled(code: string): unknown {
    const names = this.#columns.map((_, i) => `c${i}`);
    // numbered, since the engine gives functions of one text one place for what it learns about them
    const body = `return ${code}; // ${compiled++}`;
    return new Function("checks", ...names, body)(this.#checks, ...this.#columns);
  }
}

let compiled = 0;

function loop(body: string, atBad = ""): string {
  return `const seen = view.row;
let rows, row, v, n, given, good = 0;
for (let i = 0; i < height; i++) {
  view.at = i;
  try {
    ${body}
  } catch (error) { ${atBad} bad(i, good, error); }
}`;
}

function cell(name: string, dtype: string, i: number): string {
  const column = `c${i}`;
  const value = `v = row[${JSON.stringify(name)}];`;
  const direct = (number: string, fits: string) =>
    `${value} n = ${number}; if (${fits} && ${column}.length < ${column}.values.length) ${column}.values[${column}.length++] = n; else ${column}.push(v);`;
  const range = RANGES[dtype];
  if (range !== undefined) return direct("v", `Number.isInteger(n) && n >= ${range[0]} && n <= ${range[1]}`);
  if (dtype.startsWith("Float")) return direct("v", 'typeof n === "number"');
  if (dtype.startsWith("Datetime")) return direct("v instanceof Date ? v.getTime() : 0.5", "Number.isInteger(n)");
  return `${value} ${column}.push(v);`;
}
