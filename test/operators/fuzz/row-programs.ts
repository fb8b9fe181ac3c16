import type polars from "nodejs-polars";
import type { StreamFrame } from "../../../lib/frame/stream-frame.ts";
import { pl } from "../../../lib/plan/pl.ts";
import type { Dice } from "./dice.ts";
import { type Columns, Expressions, type Kind } from "./expressions.ts";
import { columnsOf } from "./odd-rows.ts";

/** A verb, for a frame of either kind: both have it under the same name and with the same arguments. */
export interface Verb {
  readonly text: string;
  apply<F extends StreamFrame | polars.DataFrame>(frame: F): F;
}

export const COLUMNS: Columns = {
  number: columnsOf("Float", "Int", "UInt"),
  text: ["device", ...columnsOf("Utf8")],
  flag: columnsOf("Boolean"),
  time: columnsOf("Datetime(ms)", "Datetime(ns)"),
};

const KEYS = [
  ["device"],
  ["device"],
  ["device", "b"],
  ["device", "s"],
  ["device", "x"],
  ["toString", "device"],
  ["device", "big"],
  ["device", "day"],
].map((names) => names.map((name) => pl.col(name)));
const COMPUTED = [
  [pl.col("device"), pl.col("j").modulo(pl.lit(2))],
  [pl.col("device"), pl.col("s").str.lengths().cast(pl.UInt32)],
];

const everything = new Expressions(COLUMNS, [...KEYS, ...COMPUTED]);
const rowWise = new Expressions(COLUMNS);

const KINDS: readonly Kind[] = ["number", "number", "number", "text", "flag", "time"];

function columns(dice: Dice): Verb {
  const made = new Map<string, polars.Expr>();
  for (let left = dice.int(1, 4); left > 0; left--) {
    const kind = dice.pick(KINDS);
    // a name that is there already is taken by what is of its kind, so that later expressions stay likely to be valid
    const name = dice.chance(0.5) ? `new ${left}` : dice.pick(COLUMNS[kind].filter((name) => name !== "device"));
    made.set(name, everything.of(kind, dice, dice.int(1, 4)).alias(name));
  }
  const exprs = [...made.values()];
  return { text: `withColumns(${exprs.join(", ")})`, apply: (frame) => (frame as any).withColumns(...exprs) };
}

function filter(dice: Dice): Verb {
  const predicate = (dice.chance(0.5) ? everything : rowWise).of("flag", dice, dice.int(1, 3)).fillNull(pl.lit(true));
  return { text: `filter(${predicate})`, apply: (frame) => (frame as any).filter(predicate) };
}

function exploded(dice: Dice): Verb {
  const kind = dice.pick(["number", "text"] as const);
  const lists: Record<"number" | "text", polars.Expr> = {
    number: pl.concatList([rowWise.of("number", dice, 1), rowWise.of("number", dice, 1)]),
    text: rowWise.of("text", dice, 1).str.split("-"),
  };
  const list = lists[kind].alias("items");
  return {
    text: `withColumns(${list}).explode(items)`,
    apply: (frame) => (frame as any).withColumns(list).explode("items").rename({ items: "item" }).drop("item"),
  };
}

function unnested(dice: Dice): Verb {
  const struct = pl
    .struct([everything.of("number", dice, 2).alias("p"), everything.of("text", dice, 2).alias("q.")])
    .alias("packed");
  return {
    text: `withColumns(${struct}).unnest(packed)`,
    apply: (frame) => (frame as any).withColumns(struct).unnest("packed").drop("p", "q."),
  };
}

function uniqueRows(dice: Dice): Verb {
  const subset = ["device", ...dice.some(["j", "s", "b", "x", "big", "d", "toString", ""], dice.int(0, 2))];
  return {
    text: `unique(${JSON.stringify(subset)})`,
    apply: (frame) =>
      "node" in frame
        ? (frame as any).unique({ subset })
        : (frame as any).unique({ subset, keep: "first", maintainOrder: true }),
  };
}

function selected(dice: Dice): Verb {
  const name = dice.pick(COLUMNS.number);
  const expr = everything.of("number", dice, 3).alias(name);
  const exprs = [pl.all().exclude(name), expr];
  return { text: `select(all but ${name}, ${expr})`, apply: (frame) => (frame as any).select(...exprs) };
}

function renamed(dice: Dice): Verb {
  const [a, b] = dice.some(COLUMNS.number, 2) as [string, string];
  return {
    text: `rename(${a} <-> ${b})`,
    apply: (frame) =>
      (frame as any)
        .rename({ [a]: "away" })
        .rename({ [b]: a })
        .rename({ away: b }),
  };
}

/** Verbs over the columns of {@link oddRows}, which they all leave there. */
export function rowVerbs(dice: Dice, most = 4): Verb[] {
  const kinds = [columns, columns, columns, filter, exploded, unnested, uniqueRows, selected, renamed];
  return Array.from({ length: dice.int(1, most) }, () => dice.pick(kinds)(dice));
}
