import { isMetadata } from "../plan/metadata.ts";
import type { JoinAsOfNode } from "../plan/nodes/join-as-of-node.ts";
import type { JoinTableNode } from "../plan/nodes/join-table-node.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { type Compiled, pick } from "./compile.ts";
import { unique } from "./exprs.ts";
import { type AsOfPlan, asOfJoin, waitOf } from "./join-as-of.ts";
import { checkEventTime, checkJoinKeys } from "./join-checks.ts";
import { joinedColumns } from "./join-columns.ts";
import type { Delay } from "./join-order.ts";

/** What a join adds to what is known of any node. */
export type CompiledJoin = Pick<Compiled, "steps" | "schema" | "lineage" | "delay" | "leastDelay" | "used"> & {
  watermark: true;
};

/** What travels with waiting rows, and what every join needs of its inputs. */
export const TRAVELLING: Schema = {
  _key: "Utf8",
  _time: "Datetime(ms)",
  _partition: "Int32",
  _offset: "Int64",
};

/** What the rows of this schema have of it: those of windows are of no record, and have no offset. */
export function travelling(schema: Schema): string[] {
  return Object.keys(TRAVELLING).filter((name) => Object.hasOwn(schema, name));
}

/** Undefined for the rows of records, which come when their time does. */
export function delayOf({ windowed, delay }: Compiled): Delay {
  return windowed || delay > 0 ? delay : undefined;
}

/** @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES`, `NOT_EVENT_TIME`, `DUPLICATE_COLUMN` */
export function compileAsOf(
  node: JoinAsOfNode,
  left: Compiled,
  right: Compiled,
  storeName: (name: string) => string,
): CompiledJoin {
  const { leftOn, rightOn, byLeft, byRight, suffix } = node;
  checkJoinKeys(byLeft, byRight, left.schema, right.schema, "joinAsof");
  checkEventTime(leftOn, left, "joinAsof: leftOn");
  checkEventTime(rightOn, right, "joinAsof: rightOn");
  return compileNearest(left, right, storeName, {
    leftKeys: byLeft,
    rightKeys: byRight,
    leftTime: leftOn,
    rightTime: rightOn,
    // Polars gives the right time only where it has a name of its own
    dropped: [...byRight, ...(leftOn === rightOn ? [rightOn] : [])],
    forward: node.strategy === "forward",
    tolerance: node.tolerance,
    history: node.history,
    grace: node.grace,
    keepUnmatched: true,
    tombstones: false,
    suffix,
    label: "as_of",
    verb: "joinAsof",
  });
}

/** A table as it was at the event time of each row. @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES`, `DUPLICATE_COLUMN` */
export function compileJoinTable(
  node: JoinTableNode,
  left: Compiled,
  right: Compiled,
  storeName: (name: string) => string,
): CompiledJoin {
  const { leftOn, rightOn, how, history = 0, suffix } = node;
  checkJoinKeys(leftOn, rightOn, left.schema, right.schema, "join");
  return compileNearest(left, right, storeName, {
    leftKeys: leftOn,
    rightKeys: rightOn,
    leftTime: "_time",
    rightTime: "_time",
    dropped: rightOn,
    forward: false,
    tolerance: undefined,
    history,
    grace: undefined,
    keepUnmatched: how === "left",
    tombstones: true,
    suffix,
    label: "table",
    verb: "join",
  });
}

type NearestOptions = Pick<
  AsOfPlan,
  | "leftKeys"
  | "rightKeys"
  | "leftTime"
  | "rightTime"
  | "forward"
  | "tolerance"
  | "history"
  | "grace"
  | "keepUnmatched"
  | "tombstones"
> & { dropped: readonly string[]; suffix: string; label: string; verb: string };

function compileNearest(
  left: Compiled,
  right: Compiled,
  storeName: (name: string) => string,
  { dropped, suffix, label, verb, ...options }: NearestOptions,
): CompiledJoin {
  const values = (schema: Schema): string[] => Object.keys(schema).filter((name) => !isMetadata(name));
  const joined = joinedColumns(values(left.schema), values(right.schema), { left: [], right: dropped }, suffix, verb);
  const kept = unique([...options.rightKeys, ...joined.right.map(({ from }) => from)], ["at", "until", "deleted"]);
  const storedKeys = kept.slice(0, options.rightKeys.length);
  const given = joined.right.map((column, i) => ({ ...column, stored: kept[storedKeys.length + i]! }));
  const delays = { leftDelay: delayOf(left), rightDelay: delayOf(right) };
  const wait = waitOf({ ...options, ...delays });
  const metadata = wait === undefined ? Object.keys(left.schema).filter(isMetadata) : travelling(left.schema);
  const schema: Schema = {
    ...pick(left.schema, values(left.schema)),
    ...Object.fromEntries(joined.right.map(({ from, to }) => [to, right.schema[from]!])),
    ...pick(left.schema, metadata),
  };
  const name = `${label}_by_${options.leftKeys.join("_")}`;
  const versions: StoreSpec = {
    name: storeName(name),
    key: [...storedKeys, "at"],
    schema: {
      ...Object.fromEntries(storedKeys.map((key, i) => [key, right.schema[options.rightKeys[i]!]!])),
      at: "Int64",
      ...Object.fromEntries(given.map(({ from, stored }) => [stored, right.schema[from]!])),
      ...(!options.forward && { until: "Int64" }),
      ...(options.tombstones && { deleted: "Boolean" }),
    },
  };
  const plan: AsOfPlan = {
    ...options,
    ...delays,
    storedKeys,
    values: given,
    output: [...Object.keys(schema), "_watermark", "_sequence", "_order"],
    versions,
    waiting: wait === undefined ? undefined : waitingRows(left.schema, storeName(`${name}_waiting`)),
  };
  return {
    steps: [{ join: asOfJoin(plan) }],
    schema,
    lineage: left.lineage,
    delay: Math.max(left.delay, wait ?? 0),
    leastDelay: left.leastDelay,
    watermark: true,
    used: (columns, input) => {
      if (input === 1)
        return new Set([
          ...options.rightKeys,
          options.rightTime,
          ...joined.right.map(({ from }) => from),
          ...Object.keys(TRAVELLING),
        ]);
      const own =
        wait === undefined ? [...columns].filter((name) => Object.hasOwn(left.schema, name)) : values(left.schema);
      return new Set([...own, ...options.leftKeys, options.leftTime, ...Object.keys(TRAVELLING)]);
    },
  };
}

/** Waiting rows keep their columns, and `_watermark`, from which their lateness is judged. */
function waitingRows(schema: Schema, name: string): AsOfPlan["waiting"] {
  const kept: Schema = {
    ...Object.fromEntries(Object.entries(schema).filter(([name]) => !isMetadata(name))),
    ...pick(schema, travelling(schema)),
    _watermark: "Int64",
  };
  const names = Object.keys(kept);
  const stored = unique(names, ["row", "release"]);
  const columns = names.map((from, i) => ({ from, to: stored[i]! }));
  return {
    columns,
    store: {
      name,
      key: ["row"],
      schema: {
        row: "Int64",
        release: "Int64",
        ...Object.fromEntries(columns.map(({ from, to }) => [to, kept[from]!])),
      },
    },
  };
}
