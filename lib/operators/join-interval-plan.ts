import { isMetadata } from "../plan/metadata.ts";
import type { JoinNode } from "../plan/nodes/join-node.ts";
import type { Schema } from "../schema.ts";
import { type Compiled, pick } from "./compile.ts";
import { unique } from "./exprs.ts";
import { type CompiledJoin, delayOf, TRAVELLING, travelling } from "./join-as-of-plan.ts";
import { checkJoinKeys } from "./join-checks.ts";
import { type JoinedColumn, joinedColumns } from "./join-columns.ts";
import { type IntervalPlan, type IntervalSide, intervalJoin } from "./join-interval.ts";
import { joinedLineage } from "./join-lineage.ts";
import type { Delay } from "./join-order.ts";

/** @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES`, `DUPLICATE_COLUMN` */
export function compileInterval(
  node: JoinNode,
  left: Compiled,
  right: Compiled,
  storeName: (name: string) => string,
): CompiledJoin {
  const { leftOn, rightOn, how, before, after, grace, coalesce, suffix } = node;
  checkJoinKeys(leftOn, rightOn, left.schema, right.schema, "join");
  const values = (schema: Schema): string[] => Object.keys(schema).filter((name) => !isMetadata(name));
  const onlyLeft = how === "semi" || how === "anti";
  const dropped = {
    left: how === "right" ? leftOn : [],
    right: how === "right" || (how === "full" && !coalesce) ? [] : rightOn,
  };
  const joined = joinedColumns(values(left.schema), onlyLeft ? [] : values(right.schema), dropped, suffix, "join");
  const storedKeys = unique(leftOn, RESERVED);
  const sideOf = (
    compiled: Compiled,
    keys: readonly string[],
    columns: readonly JoinedColumn[],
    around: Pick<IntervalSide, "before" | "after" | "keepUnmatched" | "tracks">,
    label: string,
  ): IntervalSide => {
    const names = [...new Set([...columns.map(({ from }) => from), ...keys, ...travelling(compiled.schema)])];
    const stored = unique(names, [...storedKeys, ...RESERVED]);
    const kept = names.map((from, i) => ({ from, to: from, stored: stored[i]! }));
    const name = storeName(`join_by_${leftOn.join("_")}_${label}`);
    return {
      keys,
      delay: delayOf(compiled),
      ...around,
      columns: kept,
      store: {
        name,
        key: [...storedKeys, "row"],
        schema: {
          ...Object.fromEntries(storedKeys.map((key, i) => [key, compiled.schema[keys[i]!]!])),
          row: "Int64",
          at: "Int64",
          past: "Int64",
          matched: "Boolean",
          ...Object.fromEntries(kept.map(({ from, stored }) => [stored, compiled.schema[from]!])),
        },
      },
    };
  };
  const keepLeft = how === "left" || how === "full" || how === "anti";
  const keepRight = how === "right" || how === "full";
  const metadata = travelling(left.schema).filter((name) => onlyLeft || Object.hasOwn(right.schema, name));
  const plan: IntervalPlan = {
    how,
    storedKeys,
    grace,
    left: sideOf(
      left,
      leftOn,
      joined.left,
      { before, after, keepUnmatched: keepLeft, tracks: keepLeft || how === "semi" },
      "left",
    ),
    right: sideOf(
      right,
      rightOn,
      joined.right,
      { before: after, after: before, keepUnmatched: keepRight, tracks: keepRight },
      "right",
    ),
    coalesced:
      how === "full" && coalesce ? leftOn.map((name, i) => ({ left: name, right: rightOn[i]!, to: name })) : [],
    metadata,
    values: [
      ...joined.left.map((column) => ({ ...column, side: "left" as const, dtype: left.schema[column.from]! })),
      ...joined.right.map((column) => ({ ...column, side: "right" as const, dtype: right.schema[column.from]! })),
    ],
  };
  const schema: Schema = {
    ...Object.fromEntries(plan.values.map(({ to, dtype }) => [to, dtype])),
    ...pick(TRAVELLING, metadata),
  };
  return {
    steps: [{ join: intervalJoin(plan) }],
    schema,
    lineage: joinedLineage(left, right, plan),
    leastDelay: Math.min(left.leastDelay, right.leastDelay),
    delay: Math.max(
      left.delay,
      right.delay,
      keepLeft || how === "semi" ? behind(after + grace, plan.right.delay) : 0,
      keepRight ? behind(before + grace, plan.left.delay) : 0,
    ),
    watermark: true,
    used: (_, input) => new Set((input === 0 ? plan.left : plan.right).columns.map(({ from }) => from)),
  };
}

const RESERVED = ["row", "at", "past", "matched"];

function behind(span: number, delay: Delay): number {
  return delay === undefined ? span : span + delay + 1;
}
