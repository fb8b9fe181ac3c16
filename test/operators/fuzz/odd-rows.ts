import polars from "nodejs-polars";
import { dtypeOf } from "../../../lib/schema.ts";
import type { Dice } from "./dice.ts";

type Cell = (dice: Dice) => unknown;

const FLOATS = [0, -0, 1, -1, 0.1, 2.5, -3.75, 1e-9, 123456.789, Number.NaN];
const INTS = [0n, 1n, -1n, 7n, -100n, 9007199254740993n, -9007199254740995n, 1000000000000000003n];
const TEXTS = ["", "null", "alpha", "Beta", " γ ", "12", "-3", "4.5", "a-b-c", "🚗 b", "é", "é", "NaN", "true", "x\ty"];
const TIMES = [0, -1, 1, 999, 1000, 86_399_999, 1_700_000_000_000, 1_711_846_800_000, 1_729_990_800_000, -86_400_001];

const float: Cell = (dice) => (dice.chance(0.5) ? dice.pick(FLOATS) : Math.round((dice.next() - 0.5) * 2000) / 8);
const small: Cell = (dice) => dice.int(-20, 20);
const time: Cell = (dice) => dice.pick(TIMES) + (dice.chance(0.5) ? dice.int(-5000, 5000) : 0);

/** Columns with every dtype that has a meaning of its own, and with names that code likes to trip over. */
const COLUMNS: readonly (readonly [name: string, dtype: string, cell: Cell])[] = [
  ["x", "Float64", float],
  ["y", "Float64", float],
  ["f32", "Float32", float],
  ["big", "Int64", (dice) => dice.pick(INTS)],
  ["i", "Int64", (dice) => BigInt(dice.int(-1000, 1000))],
  ["j", "Int32", small],
  ["u8", "UInt8", (dice) => dice.int(0, 255)],
  ["s", "Utf8", (dice) => dice.pick(TEXTS)],
  ["s2", "Utf8", (dice) => dice.pick(TEXTS)],
  ["b", "Boolean", (dice) => dice.chance(0.5)],
  ["d", "Datetime(ms)", time],
  ["zoned", "Datetime(us,Europe/Berlin)", time],
  ["nano", "Datetime(ns)", time],
  ["day", "Date", (dice) => dice.int(-400, 20_000)],
  ["span", "Duration(ms)", (dice) => dice.int(-100_000, 100_000)],
  // odd names
  ["count", "Float64", float],
  ["", "Float64", float],
  ["a b.c", "Float64", float],
  ["toString", "Int32", small],
  ["window", "Utf8", (dice) => dice.pick(TEXTS)],
  ["literal", "Int64", (dice) => BigInt(dice.int(-9, 9))],
  ["ключ", "Boolean", (dice) => dice.chance(0.5)],
];

/** The names of the columns whose dtype is one of these. */
export function columnsOf(...dtypes: readonly string[]): string[] {
  return COLUMNS.filter(([, dtype]) => dtypes.some((one) => dtype.startsWith(one))).map(([name]) => name);
}

const DEVICES = ["a", "a", "b", "ключ", "", "null", null];

export interface OddRows {
  readonly frame: polars.DataFrame;
  readonly devices: readonly (string | null)[];
  /** Event times, ms. */
  readonly times: readonly number[];
}

/** Rows of few keys, with ties of event time and late rows. `n` numbers them. */
export function oddRows(dice: Dice, count: number): OddRows {
  const devices = Array.from({ length: count }, () => dice.pick(DEVICES));
  let clock = dice.pick([-3000, 0, 1_711_846_790_000]);
  const times = devices.map(() => {
    clock += dice.chance(0.3) ? 0 : dice.chance(0.2) ? -dice.int(0, 2500) : dice.int(0, 1500);
    return clock;
  });
  const nulls = dice.pick([0.05, 0.3, 1]);
  const columns = COLUMNS.map(([name, dtype, cell]) => {
    const cells = devices.map(() => (dice.chance(Math.min(nulls, 0.6)) ? null : cell(dice)));
    return column(name || "nameless", cells, dtype);
  });
  const frame = polars
    .DataFrame([
      polars.Series("device", devices as string[], polars.Utf8),
      column("t", times, "Datetime(ms)"),
      column(
        "n",
        times.map((_, i) => i),
        "Int32",
      ),
      ...columns,
      // nodejs-polars calls a column without a name column_19 when it builds a frame of it
    ])
    .rename({ nameless: "" });
  return { frame, devices, times };
}

function column(name: string, cells: readonly unknown[], dtype: string): polars.Series {
  if (dtype === "Utf8" || dtype === "Boolean") return polars.Series(name, cells as string[], dtypeOf(dtype));
  if (dtype === "Int64")
    return polars
      .Series(name, cells.map((cell) => (cell === null ? null : String(cell))) as string[], polars.Utf8)
      .cast(polars.Int64);
  const numbers = polars.Series(name, cells as number[], polars.Float64);
  if (/^Float|^U?Int/.test(dtype)) return numbers.cast(dtypeOf(dtype));
  if (dtype === "Date") return numbers.cast(polars.Int32).cast(polars.Date);
  const ms = numbers.cast(polars.Int64);
  const [, unit, zone] = /\((..),?(.*)\)/.exec(dtype)!;
  if (dtype.startsWith("Duration")) return ms.cast(dtypeOf(dtype));
  const plain = ms.cast(polars.Datetime("ms")).cast(polars.Datetime(unit as "us"));
  if (zone === "") return plain;
  const zoned = polars.DataFrame([plain]).select(polars.col(name).dt.replaceTimeZone("UTC").dt.convertTimeZone(zone!));
  return zoned.getColumn(name);
}
