import type pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkFilter, checkRowExprs, type Place } from "../plan/analysis/check.ts";
import { expand } from "../plan/analysis/expand.ts";
import { type Stage, splitStages } from "../plan/analysis/stages.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import { print } from "../plan/print.ts";
import { replay } from "../plan/replay.ts";
import { columnsOf, type ExprTree, someTree } from "../plan/tree.ts";
import { dtypeName, dtypeOf, emptyFrame, type Schema } from "../schema.ts";
import { nullRow } from "./null-row.ts";

/** The expressions of a verb, one per column, ready to run. */
export interface CompiledExprs {
  readonly trees: readonly ExprTree[];
  readonly names: readonly string[];
  readonly dtypes: readonly string[];
  /** What has to be computed before, per key. */
  readonly stages: readonly Stage[];
  /** What is left of {@link trees} over the columns of the stages. */
  readonly rest: readonly ExprTree[];
  /** The same as expressions, named. */
  readonly exprs: readonly pl.Expr[];
}

/**
 * Expands patterns, checks columns and meanings, and finds names and dtypes by asking Polars.
 * @throws Refusal `UNKNOWN_COLUMN`, `NO_EXACT_STREAMING_MEANING`, `NOT_VALID_IN_POLARS`, `METADATA_COLUMN`
 */
export function compileExprs(exprs: readonly ExprTree[], schema: Schema, place: Place): CompiledExprs {
  const trees = exprs.flatMap((expr) => expand(expr, schema));
  for (const tree of trees) checkColumns(columnsOf(tree), schema, `${place.verb}: ${print(tree)}`);
  if (place.verb === "filter" || place.verb === "to") for (const tree of trees) checkFilter(tree, place);
  else checkRowExprs(trees, place);
  const empty = emptyFrame(schema);
  const made = trees.map((tree) => rowOutcome(tree, empty, place));
  const names = made.map(({ name }) => name);
  const split = splitStages(trees);
  for (const [i, name] of names.entries())
    if (
      isMetadata(name) &&
      !(trees[i]!.kind === "col" && place.verb === "select") &&
      place.verb !== "filter" &&
      place.verb !== "to"
    )
      throw new Refusal({
        code: "METADATA_COLUMN",
        what: `"${name}" is metadata of the record and cannot be replaced`,
        where: `${place.verb}: ${print(trees[i]!)}`,
        remedies: [`give the column a name of its own: .alias("${name.slice(1)}")`],
      });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Refusal({
      code: "DUPLICATE_COLUMN",
      what: `two columns would be named "${twice}"`,
      where: place.verb,
      remedies: [`name one of them anew: .alias("${twice}_2")`],
    });
  return {
    trees,
    names,
    dtypes: made.map(({ dtype }) => dtype),
    stages: split.stages,
    rest: split.exprs,
    exprs: split.exprs.map((expr, i) => told(expr, made[i]!.dtype).alias(names[i]!)),
  };
}

/** Calls of which Polars' planner knows the dtype only when they have run: what follows in the same query would be refused by it. */
const TOLD_LATE = new Set(["toPhysical", "reinterpret", "pow", "log"]);

function told(tree: ExprTree, dtype: string): pl.Expr {
  const late = someTree(tree, (part) => part.kind === "call" && TOLD_LATE.has(part.fn));
  return late ? replay(tree).cast(dtypeOf(dtype)) : replay(tree);
}

/** Name and dtype of an expression over rows. */
function rowOutcome(tree: ExprTree, empty: pl.DataFrame, place: Place): { name: string; dtype: string } {
  const over = someTree(tree, (part) => part.kind === "call" && part.fn === "over");
  const expr = replay(tree);
  if (!over) return outcome(tree, () => empty.select(expr), place);
  // under over() literals are not looked at before there is a row
  return outcome(tree, () => nullRow(empty).select(expr), place);
}

/** Name and dtype of the one column an expression gives over an empty frame. @throws Refusal `NOT_VALID_IN_POLARS` */
export function outcome(tree: ExprTree, run: () => pl.DataFrame, place: Place): { name: string; dtype: string } {
  const frame = validInPolars([{ tree }], place, run);
  return { name: frame.columns.at(-1)!, dtype: dtypeName(frame.dtypes.at(-1)!) };
}

/** What Polars makes of expressions. @throws Refusal `NOT_VALID_IN_POLARS` where it refuses them */
export function validInPolars<T>(calls: readonly { readonly tree: ExprTree }[], place: Place, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Refusal({
      code: "NOT_VALID_IN_POLARS",
      what: `Polars refuses ${calls.map(({ tree }) => print(tree)).join(", ")}: ${error instanceof Error ? error.message : error}`,
      where: place.verb,
      remedies: ["try the expression on a small pl.DataFrame with these columns"],
      cause: error,
    });
  }
}
