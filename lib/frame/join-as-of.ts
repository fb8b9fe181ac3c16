import { Refusal } from "../error.ts";
import { type JoinAsOfNode, joinAsOfNode } from "../plan/nodes/join-as-of-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { type Joinable, joinKeys, span } from "./join.ts";
import { checkOptions } from "./options.ts";

/** Names and meanings as in nodejs-polars' joinAsof; `history` and `grace` are what a stream needs besides. */
export interface JoinAsofOptions {
  /** The column of event time on both sides. Without any, that of the records (`_time`). */
  readonly on?: string;
  readonly leftOn?: string;
  readonly rightOn?: string;
  /** Columns that are equal. The record key is among them, or rows are placed anew. */
  readonly by?: string | readonly string[];
  readonly byLeft?: string | readonly string[];
  readonly byRight?: string | readonly string[];
  /** `"backward"` (default): the last right row at or before the left one. `"forward"`: the first one at or after it; needs `tolerance`. */
  readonly strategy?: "backward" | "forward";
  /** How far apart they may be, `"2s"`. */
  readonly tolerance?: string;
  /** How late a left row may be and still find the row of its time (`"1m"`); that long right rows are kept. */
  readonly history?: string;
  /** Left rows wait this long for right rows that come late; without it they wait for none. */
  readonly grace?: string;
  /** For right columns whose names are taken (`"_right"`). */
  readonly suffix?: string;
}

const OPTIONS = [
  "on",
  "leftOn",
  "rightOn",
  "by",
  "byLeft",
  "byRight",
  "strategy",
  "tolerance",
  "history",
  "grace",
  "suffix",
];

/** @throws Refusal `NO_KEY`, `NO_HORIZON`, `BAD_OPTION`, `BAD_DURATION` */
export function joinAsOfNodeOf(input: PlanNode, other: Joinable, options: JoinAsofOptions): JoinAsOfNode {
  checkOptions("joinAsof", options ?? {}, OPTIONS);
  const { on, leftOn, rightOn, by, byLeft, byRight, strategy = "backward" } = options;
  const { tolerance, history = "1m", grace, suffix = "_right" } = options;
  const keys = joinKeys(
    {
      ...(by !== undefined && { on: by }),
      ...(byLeft !== undefined && { leftOn: byLeft }),
      ...(byRight !== undefined && { rightOn: byRight }),
    },
    "joinAsof: by",
  );
  if (strategy !== "backward" && strategy !== "forward")
    throw new Refusal({
      code: "NOT_BUILT",
      what: `joinAsof with strategy "${strategy}" is not built`,
      where: "joinAsof",
      remedies: ['strategy: "backward"', 'strategy: "forward", with a tolerance'],
    });
  if (strategy === "forward" && tolerance === undefined)
    throw new Refusal({
      code: "NO_HORIZON",
      what: "a forward joinAsof waits for rows that have not come yet, and has to say how long",
      where: "joinAsof",
      remedies: ['a tolerance: { strategy: "forward", tolerance: "10s" }', 'strategy: "backward"'],
    });
  return joinAsOfNode({
    input,
    other: other.node,
    leftOn: on ?? leftOn ?? "_time",
    rightOn: on ?? rightOn ?? "_time",
    byLeft: keys.leftOn,
    byRight: keys.rightOn,
    strategy,
    ...(tolerance !== undefined && { tolerance: span(tolerance, "tolerance") }),
    history: span(history, "history"),
    ...(grace !== undefined && { grace: span(grace, "grace") }),
    suffix,
  });
}
