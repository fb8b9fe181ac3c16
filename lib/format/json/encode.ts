import pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import type { ByteColumn } from "../../log/columns.ts";
import { written } from "../../polars/written.ts";
import { dtypeName } from "../../schema.ts";
import { type InstantColumn, instantColumn, writeInstants } from "./instant-digits.ts";

const EMPTY = new Uint8Array(0);
const NEWLINE = 0x0a;

/**
 * One JSON object per row, by Polars' own writer.
 * @throws Refusal `DTYPE_NOT_IN_JSON` for a column that JSON has no form for
 */
export function encodeRows(frame: pl.DataFrame, columns: readonly string[]): ByteColumn {
  const rows = frame.height;
  const starts = new Uint32Array(rows);
  const ends = new Uint32Array(rows);
  if (rows === 0) return { bytes: EMPTY, starts, ends };
  if (columns.length === 0) return emptyObjects(rows);
  const dtypes = new Map(columns.map((name) => [name, dtypeName(frame.getColumn(name).dtype)]));
  const instants = instantColumns(frame, dtypes);
  const cells = [...dtypes].map(([name, dtype]) => instants.get(name)?.place ?? jsonColumn(name, dtype));
  const bytes = written(selected(frame, cells), "json");
  let at = 0;
  for (let row = 0; row < rows; row++) {
    starts[row] = at;
    const end = bytes.indexOf(NEWLINE, at);
    ends[row] = end;
    at = end + 1;
  }
  for (const column of instants.values())
    if (!writeInstants(bytes, ends, column)) throw new TypeError("a place for an instant is missing");
  return { bytes, starts, ends };
}

/**
 * The columns whose digits are written here rather than by Polars: not beside lists and structs, which may hold a field that looks the same.
 * (In a flat row a name stands before its colon once: inside a text quotes are escaped.)
 */
function instantColumns(frame: pl.DataFrame, dtypes: ReadonlyMap<string, string>): Map<string, InstantColumn> {
  const found = new Map<string, InstantColumn>();
  for (const [name, dtype] of dtypes) {
    if (/^(List|Struct|Array)/.test(dtype)) return new Map();
    const column = PLAIN_NAME.test(name) ? instantColumn(frame.getColumn(name), name, dtype) : undefined;
    if (column !== undefined) found.set(name, column);
  }
  return found;
}

/** The columns as a text format writes them: instants and dates as ISO 8601, the rest as it is. */
export function textCells(frame: pl.DataFrame, columns: readonly string[]): pl.DataFrame {
  return selected(
    frame,
    columns.map((name) => jsonColumn(name, dtypeName(frame.getColumn(name).dtype))),
  );
}

/** Columns by name need no query, which would be a wait for Polars' thread. */
function selected(frame: pl.DataFrame, cells: readonly (string | pl.Expr)[]): pl.DataFrame {
  const names = cells.filter((cell) => typeof cell === "string");
  return names.length === cells.length ? frame.select(...names) : frame.select(...(cells as pl.Expr[]));
}

/** Written in JSON without an escape. */
const PLAIN_NAME = /^[\w .:/-]+$/;

/** `select()` of nothing has no rows to write. */
function emptyObjects(rows: number): ByteColumn {
  const at = Uint32Array.from({ length: rows }, (_, row) => row * 3);
  return { bytes: Buffer.from("{}\n".repeat(rows)), starts: at, ends: at.map((start) => start + 2) };
}

/** The column as Polars is to write it; its name where it writes it as it is. */
function jsonColumn(name: string, dtype: string): string | pl.Expr {
  const [, head, unit] = /^(\w+)\(?(\w*)/.exec(dtype)!;
  switch (head) {
    case "Datetime":
      return pl.col(name).dt.strftime(ISO[unit as "ms"]);
    case "Date":
      return pl.col(name).dt.strftime("%Y-%m-%d");
    case "Time":
      return pl.col(name).dt.strftime("%H:%M:%S%.f");
    case "Duration":
      return pl.col(name).cast(pl.Int64);
    case "Categorical":
      return pl.col(name).cast(pl.Utf8);
    case "Binary":
    case "Object":
    case "Decimal":
      throw new Refusal({
        code: "DTYPE_NOT_IN_JSON",
        what: `${dtype} has no form in JSON here`,
        where: `column "${name}"`,
        remedies: ["cast it to Utf8 or Float64 before the sink", "leave it out with `value: [...]`"],
      });
    case "List": {
      const items = /^List\(Datetime\((\w+)\)\)$/.exec(dtype)?.[1];
      return items === undefined ? name : pl.col(name).lst.eval(pl.element().dt.strftime(ISO[items as "ms"]));
    }
    default:
      return name;
  }
}

const ISO = { ms: "%Y-%m-%dT%H:%M:%S%.3fZ", us: "%Y-%m-%dT%H:%M:%S%.6fZ", ns: "%Y-%m-%dT%H:%M:%S%.9fZ" };
