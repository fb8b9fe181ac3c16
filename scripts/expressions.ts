/** Writes docs/expressions.md from the tables that decide what an expression means: `node scripts/expressions.ts`. A test holds it current. */
import { readFileSync, writeFileSync } from "node:fs";
import { REFUSED_VERBS } from "../lib/frame/refused-verbs.ts";
import { FUNCTION_MEANINGS } from "../lib/plan/analysis/function-meanings.ts";
import type { Meaning } from "../lib/plan/analysis/meaning.ts";
import { METHOD_MEANINGS } from "../lib/plan/analysis/method-meanings.ts";
import { print } from "../lib/plan/print.ts";
import { type Arg, type CallTree, colTree } from "../lib/plan/tree.ts";

const PAGE = new URL("../docs/expressions.md", import.meta.url);
const KEY = "device";

/** Arguments to show for methods whose meaning depends on them: those that are fine, and those that are not. */
const SAMPLES: Readonly<Record<string, readonly (readonly Arg[])[]>> = {
  cast: [[{ $dtype: "Int64" }], [{ $dtype: "Categorical" }]],
  fillNull: [[0], ["forward"], ["forward", 2], ["backward"], ["mean"]],
  isIn: [[[1, 2]], [{ $expr: colTree("y") as never }]],
  shift: [[1], [-1]],
  shiftAndFill: [
    [1, 0],
    [-1, 0],
  ],
  diff: [[1, "ignore"], [], [1, "drop"], [-1, "ignore"]],
  pctChange: [[1], [-1]],
  ewmMean: [[{ alpha: 0.5 }], [{ alpha: 0.5, adjust: false, ignoreNulls: false }]],
  rollingQuantile: [[0.5, "linear", 3]],
  "str.strptime": [[{ $dtype: "Datetime(ms)" }, "%F %T"], [{ $dtype: "Datetime(ms)" }]],
};
const ROLLING: readonly (readonly Arg[])[] = [[{ windowSize: 3 }], [{ windowSize: 3, center: true }]];
const PLAIN: readonly (readonly Arg[])[] = [[], [{ reverse: true }]];

interface Line {
  readonly name: string;
  readonly call: string;
  readonly meaning: Meaning;
  readonly instead?: string;
}

function lines(): Line[] {
  const methods = Object.entries(METHOD_MEANINGS).flatMap(([fn, entry]): Line[] => {
    if (typeof entry !== "function") return [line(fn, [], entry, false)];
    const samples = SAMPLES[fn] ?? (fn.startsWith("rolling") ? ROLLING : PLAIN);
    return samples.map((args) => line(fn, args, entry(tree(fn, args)), true));
  });
  const functions = Object.entries(FUNCTION_MEANINGS).map(
    ([fn, meaning]): Line => ({ name: `pl.${fn}`, call: `pl.${fn}`, meaning }),
  );
  return [...methods, ...functions].filter(({ meaning }) => meaning.is !== "no expression");
}

function tree(fn: string, args: readonly Arg[]): CallTree {
  return { kind: "call", fn, self: colTree("x"), args };
}

function line(fn: string, args: readonly Arg[], meaning: Meaning, withArguments: boolean): Line {
  const self = tree(fn, args);
  const call = withArguments ? print(self).replace('pl.col("x").', "") : fn;
  const instead = meaning.is === "refused" ? meaning.instead?.(self, KEY) : undefined;
  return { name: fn, call, meaning, ...(instead !== undefined && { instead }) };
}

const SECTIONS: readonly [Meaning["is"], string, string][] = [
  ["row-wise", "Row by row", "Everywhere an expression can stand. The value of a row depends on that row only."],
  [
    "look-back",
    "Looking back, under `.over(key)`",
    "The value of a row depends on the last rows of its key; these are the state. Several keys, and calls inside larger expressions, are fine.",
  ],
  [
    "accumulating",
    "Accumulating, under `.over(key)`",
    "The value of a row depends on one value carried along per key; this is the state. So does `first()`, the first value of the key; what looks back or accumulates over that alone is refused, as it is one value and no rows.",
  ],
  ["per key", "Keys", "What it is called on is computed per key."],
  [
    "aggregate",
    "Aggregates whose parts merge",
    "In `agg` of windows and of `groupBy`. State is one row per key and window.",
  ],
  [
    "collected",
    "Aggregates that need all rows",
    "In `agg` of windows: they keep their rows, or their different values, until they close.",
  ],
  ["narrowing", "Below an aggregate", "They leave values out, so they stand inside `agg` only."],
  ["columns", "Several columns at once", "Stand for the columns of the schema, one expression each."],
];

/** The page, as it should be. */
export function expressionsPage(): string {
  const all = lines();
  const parts = SECTIONS.map(([is, title, text]) => {
    const own = all.filter(({ meaning }) => meaning.is === is);
    return `## ${title}\n\n${text}\n\n${grouped(own)}`;
  });
  const refused = all.filter(({ meaning }) => meaning.is === "refused");
  const rows = refused.map(
    ({ call, meaning, instead }) =>
      `| \`${cell(call)}\` | ${cell((meaning as { why: string }).why)} | ${instead === undefined ? "" : `\`${cell(instead)}\``} |`,
  );
  return [
    "# Expressions on a stream",
    "<!-- Written by scripts/expressions.ts from lib/plan/analysis; do not edit. -->",
    "What every method of a Polars expression, and every function of `pl`, means on a stream. Each is exact, or refused in the cell that writes it; a\nmethod that is in no list is refused by its name. Property tests compare the exact ones with Polars under random batches.",
    ...parts,
    `## Refused\n\n| expression | why | instead |\n|---|---|---|\n${rows.join("\n")}`,
    `## Verbs of a frame that are refused\n\nEvery other verb of Polars' LazyDataFrame is there.\n\n| verb | why | instead |\n|---|---|---|\n${verbs().join("\n")}`,
  ].join("\n\n");
}

function verbs(): string[] {
  return Object.entries(REFUSED_VERBS).map(
    ([verb, { why, instead }]) => `| \`${verb}\` | ${cell(why)} | ${cell(instead.join("; "))} |`,
  );
}

/** By namespace, in words. */
function grouped(own: readonly Line[]): string {
  const spaces = new Map<string, string[]>();
  for (const { name, call } of own) {
    const space = name.startsWith("pl.") ? "functions" : (/^(\w+)\./.exec(name)?.[1] ?? "methods");
    const list = spaces.get(space) ?? [];
    spaces.set(space, list);
    list.push(`\`${call}\``);
  }
  return [...spaces].map(([space, calls]) => `- ${space}: ${[...new Set(calls)].join(", ")}`).join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** The page, as it is. */
export function writtenPage(): string {
  try {
    return readFileSync(PAGE, "utf8").trimEnd();
  } catch {
    return "";
  }
}

if (import.meta.main) writeFileSync(PAGE, `${expressionsPage()}\n`);
