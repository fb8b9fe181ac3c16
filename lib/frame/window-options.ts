import { Refusal } from "../error.ts";
import { checkAggs, checkRowExprs } from "../plan/analysis/check.ts";
import { parseDuration } from "../plan/duration.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { ExprTree } from "../plan/tree.ts";
import { type Columns, trees } from "./arguments.ts";
import type { StreamFrame } from "./stream-frame.ts";

/** When the row of a window is given. */
export type Emit = "close" | "update";

/** Groups of rows that wait for their aggregates. */
export class StreamWindows {
  readonly #input: PlanNode;
  readonly #frame: (aggs: readonly ExprTree[]) => StreamFrame;

  constructor(input: PlanNode, frame: (aggs: readonly ExprTree[]) => StreamFrame) {
    this.#input = input;
    this.#frame = frame;
  }

  /**
   * One column per aggregate: `pl.col("x").mean()`, `pl.len()`, expressions of them, or any expression over the rows of a window, in the order
   * in which they came: `pl.col("x")` is the list of them, `pl.col("x").sort().head(3)` that of the least three,
   * `pl.col("a").filter(pl.col("b").eq(pl.col("b").max())).first()` the `a` where `b` is largest.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   */
  agg(...columns: readonly Columns[]): StreamFrame {
    const aggs = trees(columns);
    checkAggs(aggs, { verb: "agg", input: this.#input });
    return this.#frame(aggs);
  }
}

/** @throws Refusal `BAD_OPTION` for an option that the verb does not have */
export function knownOptions(verb: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options ?? {}))
    if (!known.includes(name))
      throw new Refusal({
        code: "BAD_OPTION",
        what: `${verb} has no option "${name}" on a stream`,
        where: verb,
        remedies: [`its options are ${known.join(", ")}`],
      });
}

export function keyTrees(by: Columns, verb: string, input: PlanNode): readonly ExprTree[] {
  const keys = trees([by]);
  checkRowExprs(keys, { verb, input });
  return keys;
}

export function checkEmit(emit: unknown): Emit {
  if (emit === "close" || emit === "update") return emit;
  throw new Refusal({ code: "BAD_OPTION", what: `emit "${emit}" is neither "close" nor "update"` });
}

/** @throws Refusal `BAD_DURATION` */
export function positive(text: string, name: string): number {
  const ms = parseDuration(text, name);
  if (ms <= 0)
    throw new Refusal({
      code: "BAD_DURATION",
      what: `${name} "${text}" must be longer than nothing`,
      remedies: [`a length of time: ${name}: "1s"`],
    });
  return ms;
}

/** The option `idle` in ms, where it is given. @throws Refusal `BAD_DURATION` */
export function idleOf({ idle }: { readonly idle?: string }): { idle?: number } {
  return idle === undefined ? {} : { idle: positive(idle, "idle") };
}

/** @throws Refusal `BAD_DURATION` */
export function nonNegative(text: string, name: string): number {
  const ms = parseDuration(text, name);
  if (ms < 0) throw new Refusal({ code: "BAD_DURATION", what: `${name} "${text}" must not be negative` });
  return ms;
}
