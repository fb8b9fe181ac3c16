import { Refusal } from "../error.ts";
import { checkAggs, checkRowExprs } from "../plan/analysis/check.ts";
import { groupByNode } from "../plan/nodes/group-by-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { ExprTree } from "../plan/tree.ts";
import { type Columns, trees } from "./arguments.ts";
import { type StateOptions, splitOptions } from "./state-options.ts";
import type { StreamFrame } from "./stream-frame.ts";

/** Groups over everything so far, waiting for their aggregates. */
export class StreamRunningGroupBy {
  readonly #input: PlanNode;
  readonly #by: readonly ExprTree[];
  readonly #ttl: { readonly ttl?: number };
  readonly #frame: (node: PlanNode) => StreamFrame;

  constructor(input: PlanNode, args: readonly (Columns | StateOptions)[], frame: (node: PlanNode) => StreamFrame) {
    const { columns, ...ttl } = splitOptions<Columns>(args, "groupBy");
    this.#ttl = ttl;
    this.#by = trees(columns);
    if (this.#by.length === 0)
      throw new Refusal({ code: "BAD_OPTION", what: "groupBy names no key", remedies: ['.groupBy("device")'] });
    checkRowExprs(this.#by, { verb: "groupBy", input });
    this.#input = input;
    this.#frame = frame;
  }

  /**
   * One column per aggregate: `pl.col("x").mean()`, `pl.len()`, and expressions of them.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`; when compiled also `UNBOUNDED_ROWS` for aggregates that need all rows (median, lists, …)
   */
  agg(...columns: readonly Columns[]): StreamFrame {
    const aggs = trees(columns);
    checkAggs(aggs, { verb: "agg", input: this.#input });
    return this.#frame(groupByNode({ input: this.#input, by: this.#by, aggs, ...this.#ttl }));
  }
}
