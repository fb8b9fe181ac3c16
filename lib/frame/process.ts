import { Refusal } from "../error.ts";
import { parseDuration } from "../plan/duration.ts";
import { sourceOf } from "../plan/function-source.ts";
import { checkGiven } from "../plan/givable.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { type ProcessNode, processNode } from "../plan/nodes/process-node.ts";
import type { ProcessContext, ProcessTimer } from "../plan/process-types.ts";
import { colTree } from "../plan/tree.ts";
import type { Schema } from "../schema.ts";
import { namedMetadata } from "./map.ts";
import { checkOptions } from "./options.ts";
import type { RowOf } from "./row-types.ts";

export interface ProcessOptions<State, S extends Schema, R = any> {
  /** The columns whose values form the key; the record key is among them. */
  readonly by: string | readonly string[];
  /** The state of a key that has none yet: plain data, copied for each key, or a function that makes it. */
  readonly state: State | (() => State);
  /** The columns of emitted rows, beside the key, and their dtypes. */
  readonly schema: S;
  /** After so much event time without a row of the key its state and timers are forgotten (`"1h"`). */
  readonly ttl?: string;
  /** Called for every row. */
  readonly onRow: (row: R, context: ProcessContext<State, RowOf<S>>) => void;
  /** Called for every timer that is due. */
  readonly onTimer?: (timer: ProcessTimer, context: ProcessContext<State, RowOf<S>>) => void;
}

const KNOWN = ["by", "state", "schema", "ttl", "onRow", "onTimer"];
const EXAMPLE =
  '.process({ by: "device", state: { n: 0 }, schema: { n: "Int64" }, onRow: (row, ctx) => ctx.emit({ n: ++ctx.state.n }) })';

/** @throws Refusal `BAD_OPTION`, `NO_KEY`, `NO_STATE`, `NO_SCHEMA`, `BAD_SCHEMA`, `BAD_DURATION`, `NOT_A_FUNCTION`, `ASYNC_FUNCTION` */
export function processNodeOf(input: PlanNode, options: ProcessOptions<any, Schema, any>): ProcessNode {
  checkOptions("process", options ?? {}, KNOWN);
  const { by, state, ttl, onRow, onTimer } = options ?? {};
  const keys = by === undefined ? [] : [by].flat();
  if (keys.length === 0 || keys.some((name) => typeof name !== "string"))
    throw new Refusal({
      code: "NO_KEY",
      what: "process was not told by which columns to keep state",
      where: "process",
      remedies: [EXAMPLE],
    });
  if (state === undefined)
    throw new Refusal({
      code: "NO_STATE",
      what: "process was not told the state that a key begins with",
      where: "process",
      remedies: [EXAMPLE, "state: null where the code keeps none"],
    });
  const schema = checkGiven(options.schema, "process", EXAMPLE);
  const source = {
    state: typeof state === "function" ? sourceOf(state, "process") : JSON.stringify(state),
    onRow: sourceOf(onRow, "process"),
    ...(onTimer !== undefined && { onTimer: sourceOf(onTimer, "process") }),
  };
  if (onTimer === undefined && /\.(wallT|t)imer\(/.test(source.onRow))
    throw new Refusal({
      code: "BAD_OPTION",
      what: "process sets timers and has no onTimer that they could call",
      where: "process",
      remedies: ["add onTimer: (timer, ctx) => { … }"],
    });
  const ms = ttl === undefined ? undefined : parseDuration(ttl, "ttl");
  if (ms !== undefined && ms <= 0)
    throw new Refusal({ code: "BAD_DURATION", what: `ttl "${ttl}" must be longer than nothing`, where: "process" });
  const copy = typeof state === "function" ? undefined : structuredClone(state);
  return processNode({
    input,
    by: Object.freeze(keys.map(colTree)),
    schema,
    ...(ms !== undefined && { ttl: ms }),
    metadata: namedMetadata(...Object.values(source)),
    source: Object.freeze(source),
    initial: typeof state === "function" ? (state as () => unknown) : () => structuredClone(copy),
    onRow,
    ...(onTimer !== undefined && { onTimer }),
  });
}
