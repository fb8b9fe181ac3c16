import { Refusal } from "../error.ts";
import { checkAggs, checkRowExprs } from "../plan/analysis/check.ts";
import { parseDuration } from "../plan/duration.ts";
import { type GroupByDynamicNode, groupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { type Columns, trees } from "./arguments.ts";
import type { StreamFrame } from "./stream-frame.ts";

export interface GroupByDynamicOptions {
  /** The column of event time: the topic's `time` column, or `_time`. */
  readonly indexColumn: string;
  /** A window starts every … (`"1s"`). */
  readonly every: string;
  /** How long a window lasts; `every` if not given. */
  readonly period?: string;
  /** Shifts the starts of all windows away from the epoch. */
  readonly offset?: string;
  readonly by?: Columns;
  /** How long after its end a window waits for late rows; `"0s"` if not given. */
  readonly grace?: string;
  /** `"close"` (default): a row per window once it closes. `"update"`: its row after every batch that changed it. */
  readonly emit?: "close" | "update";
}

/** Windows that wait for their aggregates. */
export class StreamGroupBy {
  readonly #spec: Omit<GroupByDynamicNode, "kind" | "aggs">;
  readonly #frame: (node: PlanNode) => StreamFrame;

  constructor(input: PlanNode, options: GroupByDynamicOptions, frame: (node: PlanNode) => StreamFrame) {
    const { indexColumn, by = [], grace = "0s", emit = "close" } = options;
    const every = positive(options.every, "every");
    const period = options.period === undefined ? every : positive(options.period, "period");
    const offset = options.offset === undefined ? 0 : parseDuration(options.offset, "offset");
    if (emit !== "close" && emit !== "update")
      throw new Refusal({ code: "BAD_OPTION", what: `emit "${emit}" is neither "close" nor "update"` });
    for (const name of Object.keys(options))
      if (!KNOWN.has(name))
        throw new Refusal({
          code: "NOT_BUILT",
          what: `groupByDynamic has no option "${name}" on a stream yet`,
          remedies: [`its options are ${[...KNOWN].join(", ")}`],
        });
    const keys = trees([by]);
    checkRowExprs(keys, { verb: "groupByDynamic", input });
    this.#spec = { input, indexColumn, every, period, offset, grace: nonNegative(grace, "grace"), by: keys, emit };
    this.#frame = frame;
  }

  /** One column per aggregate: `pl.col("x").mean()`, `pl.len()`, and expressions of them. @throws Refusal `NO_EXACT_STREAMING_MEANING` */
  agg(...columns: readonly Columns[]): StreamFrame {
    const aggs = trees(columns);
    checkAggs(aggs, { verb: "agg", input: this.#spec.input });
    return this.#frame(groupByDynamicNode({ ...this.#spec, aggs }));
  }
}

const KNOWN = new Set(["indexColumn", "every", "period", "offset", "by", "grace", "emit"]);

function positive(text: string, name: string): number {
  const ms = parseDuration(text, name);
  if (ms <= 0) throw new Refusal({ code: "BAD_DURATION", what: `${name} "${text}" must be longer than nothing` });
  return ms;
}

function nonNegative(text: string, name: string): number {
  const ms = parseDuration(text, name);
  if (ms < 0) throw new Refusal({ code: "BAD_DURATION", what: `${name} "${text}" must not be negative` });
  return ms;
}
