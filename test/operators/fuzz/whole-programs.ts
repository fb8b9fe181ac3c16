import type { StreamFrame } from "../../../lib/frame/stream-frame.ts";
import { table } from "../../../lib/frame/table.ts";
import { topic } from "../../../lib/frame/topic.ts";
import { partitionOf } from "../../../lib/log/index.ts";
import { pl } from "../../../lib/plan/pl.ts";
import type { Schema } from "../../../lib/schema.ts";
import type { TestRecord } from "../../../lib/test/index.ts";
import type { Dice } from "./dice.ts";

/** A program over several topics: rows meet, are placed anew, windowed, and meet again. */
export interface WholeProgram {
  readonly frame: StreamFrame;
  readonly text: string;
  /** Rows of equal values of these come in one order. */
  readonly key: readonly string[];
  /** Rows replace earlier ones of the same key and of these columns. */
  readonly updates?: readonly string[];
  /** Rows of equal keys may have equal times: windows of several others that come by one. What their order is depends on the partitions. */
  readonly ties?: boolean;
}

const READING: Schema = { device: "Utf8", t: "Datetime(ms)", x: "Float64", j: "Int64", s: "Utf8", n: "Int64" };

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  phones: READING,
  tablets: READING,
  owners: { device: "Utf8", t: "Datetime(ms)", owner: "Utf8" },
};

export const TOPICS = Object.keys(SCHEMAS);
const DEVICES = ["a", "b", "c", "ключ", "🚗"];

interface Building {
  readonly frame: StreamFrame;
  readonly text: string;
  readonly key: readonly string[];
  /** The columns of readings are there; else those of windows. */
  readonly readings: boolean;
  readonly updates?: readonly string[];
  readonly ties?: boolean;
}

type Verb = (dice: Dice, before: Building) => Building;

const span = (dice: Dice): string => dice.pick(["0ms", "300ms", "1s", "2500ms", "10s"]);
const keys = (dice: Dice): string[] => dice.pick([["device"], ["device"], ["j"], ["s"], ["device", "j"], ["j", "s"]]);
const add = (before: Building, frame: StreamFrame, text: string, more: Partial<Building> = {}): Building => ({
  ...before,
  frame,
  text: `${before.text}\n  .${text}`,
  ...more,
});

const over: Verb = (dice, before) => {
  const by = keys(dice);
  const value = dice.pick([
    pl.col("x").diff(1, "ignore"),
    pl.col("n").cumSum(),
    pl.col("x").cumMax(),
    pl.col("n").shift(2),
    pl.col("x").forwardFill(),
    pl.col("x").rollingMean({ windowSize: 3, minPeriods: 1 } as never),
  ]);
  const expr = value.over(...(by as [string])).alias(dice.pick(["x", "y", "z"]));
  return add(before, before.frame.withColumns(expr), `withColumns(${expr})`, { key: by });
};

const keyBy: Verb = (dice, before) => {
  const by = keys(dice);
  return add(before, before.frame.keyBy(...by), `keyBy(${by})`, { key: by });
};

const filter: Verb = (dice, before) => {
  const predicate = dice.pick([pl.col("x").gt(0), pl.col("j").neq(1), pl.col("n").modulo(3).eq(0)]);
  return add(before, before.frame.filter(predicate), `filter(${predicate})`);
};

const explode: Verb = (_, before) =>
  add(
    before,
    before.frame.withColumns(pl.concatList([pl.col("n"), pl.col("j")]).alias("n")).explode("n"),
    "explode(n, j)",
  );

const flatMap: Verb = (_, before) =>
  add(
    before,
    before.frame.flatMap(
      (row) => (row.n % 4 === 0 ? [] : row.n % 4 === 1 ? [{ n: row.n }, { n: -row.n }] : [{ n: row.n }]),
      {
        schema: { n: "Int64" },
        keep: ["device", "t", "x", "j", "s"],
      },
    ),
    "flatMap(n)",
  );

const unique: Verb = (dice, before) => {
  const subset = dice.pick([
    ["device", "j"],
    ["device", "s"],
    ["j", "s"],
  ]);
  const horizon = dice.pick([{}, { within: "1s" }, { ttl: "3s" }]);
  return add(before, before.frame.unique({ subset, ...horizon }), `unique(${subset}, ${JSON.stringify(horizon)})`, {
    key: subset,
  });
};

const process: Verb = (dice, before) => {
  const by = dice.pick(["device", "j", "s"]);
  const frame = before.frame.process({
    by,
    state: { count: 0, last: null as number | null },
    schema: { n: "Int64", count: "Int64" },
    onRow: (row: any, ctx: any) => {
      ctx.state.count++;
      if (ctx.state.count % 3 === 1) ctx.timer(Number(row.t) + 700);
      ctx.emit({ n: row.n, count: ctx.state.count });
    },
    onTimer: (_: any, ctx: any) => ctx.emit({ n: -1, count: ctx.state.count }),
  } as never);
  return add(before, frame, `process(${by})`, { key: [by], readings: false });
};

const MEDIAN = pl.col("x").median().alias("median");
const AGGS = [
  pl.col("x").sum().alias("sum"),
  pl.col("x").mean().alias("mean"),
  pl.col("n").last().alias("last"),
  pl.col("n").first().alias("first"),
  MEDIAN,
  pl.col("s").nUnique().alias("different"),
  pl.len().alias("count"),
];

function windowed(kind: "dynamic" | "session" | "count" | "rolling" | "group"): Verb {
  return (dice, before) => {
    const by = keys(dice);
    const aggs = dice.some(kind === "group" ? AGGS.filter((agg) => agg !== MEDIAN) : AGGS, dice.int(1, 4));
    const grace = span(dice);
    const emit = dice.chance(0.25) && kind !== "rolling" ? "update" : "close";
    const { frame } = before;
    const made = {
      dynamic: () => {
        const [every, period] = dice.pick([["1s"], ["1s", "2500ms"], ["2s", "1s"], ["700ms"]]);
        const own = { every: every!, ...(period && { period }) };
        return [frame.groupByDynamic({ indexColumn: "_time", ...own, by, grace, emit }), JSON.stringify(own)] as const;
      },
      session: () => [frame.groupBySession({ by, gap: "900ms", grace, emit }), "900ms"] as const,
      count: () => {
        const own = dice.pick([{ every: 2 }, { every: 1, period: 3 }]);
        return [frame.groupByCount({ by, ...own, emit }), JSON.stringify(own)] as const;
      },
      rolling: () => [frame.groupByRolling({ indexColumn: "_time", by, period: "1500ms", grace }), "1500ms"] as const,
      group: () => [frame.groupBy(...by), ""] as const,
    }[kind]();
    const text = `${kind}(${by}, ${made[1]}, grace ${grace}, ${emit}).agg(${aggs})`;
    const updates =
      kind === "group" ? [] : emit === "update" ? (kind === "count" ? ["window_index"] : ["window_start"]) : undefined;
    return add(before, made[0].agg(...aggs), text, { key: by, readings: false, ...(updates && { updates }) });
  };
}

const join: Verb = (dice, before) => {
  const how = dice.pick(["inner", "left", "right", "full", "semi", "anti"] as const);
  const on = dice.pick([["device"], ["device", "j"], ["j"]]);
  const within = { before: span(dice), after: span(dice) };
  const frame = before.frame.join(opened("tablets").select(...on, pl.col("n").alias("m"), pl.col("t").alias("u")), {
    on,
    how,
    within,
    grace: span(dice),
    ...(how === "full" && { coalesce: true }),
  });
  return add(before, frame, `join(tablets, ${on}, ${how}, ${JSON.stringify(within)})`, {
    key: on,
    readings: how !== "right" && how !== "full",
  });
};

const joinAsof: Verb = (dice, before) => {
  const by = dice.pick([["device"], ["device", "j"], ["j"]]);
  const strategy = dice.pick(["backward", "forward"] as const);
  const right = opened("tablets").select(...by, "t", pl.col("n").alias("m"));
  const options = { on: "t", by, strategy, tolerance: dice.pick(["500ms", "2s"]) };
  return add(before, before.frame.joinAsof(right, options as never), `joinAsof(tablets, ${JSON.stringify(options)})`, {
    key: by,
  });
};

const joinTable: Verb = (dice, before) => {
  const how = dice.pick(["inner", "left"] as const);
  const owners = table("owners", { key: "device", time: "t", schema: SCHEMAS.owners! });
  const frame = before.frame.join(owners, { on: "device", how, history: dice.pick(["0ms", "2s", "1h"]) });
  return add(before, frame, `join(owners, ${how})`, { key: ["device"] });
};

// of rows as their topics have them: where one side was placed anew, rows of equal keys of the two sides do not meet
const concat: Verb = (_, before) =>
  before.text === "phones" ? add(before, before.frame.concat(opened("tablets")), "concat(tablets)") : before;

const opened = (name: string): StreamFrame => topic(name, { key: "device", time: "t", schema: SCHEMAS[name]! });

const ON_READINGS: readonly Verb[] = [
  over,
  over,
  keyBy,
  filter,
  explode,
  flatMap,
  unique,
  process,
  join,
  join,
  joinAsof,
  joinTable,
  concat,
];
const GROUPS = (["dynamic", "dynamic", "session", "count", "rolling", "group"] as const).map(windowed);

const onWindows: Verb = (dice, before) => {
  const expr = pl.len().alias("windows");
  const by = before.key.slice(0, 1);
  const grace = span(dice);
  return add(
    before,
    before.frame.groupByDynamic({ indexColumn: "_time", every: "3s", by, grace }).agg(expr),
    `dynamic(${by}, 3s, grace ${grace}).agg(${expr})`,
    { key: by },
  );
};

/** Windows, of which some wait for others, or for rows, and then all are placed anew. */
const windowsMeet: Verb = (dice, before) => {
  const [on] = before.key as [string];
  const tablets = opened("tablets").select(on, pl.col("n").alias("partner"));
  const within = { before: span(dice), after: span(dice) };
  const how = dice.pick(["inner", "left"] as const);
  const [frame, text] = dice.pick([
    () => [before.frame.join(tablets, { on, how, within }), `join(tablets, ${on}, ${how}, ${JSON.stringify(within)})`],
    () => [
      before.frame.joinAsof(tablets, { by: on, strategy: "forward", tolerance: "2s" } as never),
      `joinAsof(tablets, ${on}, forward)`,
    ],
    () => [before.frame.concat(before.frame.filter(pl.col(on).isNotNull())), "concat(itself)"],
    () => [
      before.frame
        .select(on)
        .concat(opened("phones").groupByDynamic({ indexColumn: "t", every: "1s", by: on }).agg(pl.len()).select(on)),
      "concat(other windows)",
    ],
    () => [before.frame.select(on).concat(opened("tablets").select(on)), "concat(tablets)"],
  ] as (() => readonly [StreamFrame, string])[])();
  const met = add(before, frame, text, { key: [on], ties: true });
  if (dice.chance(0.3)) return met;
  const one = add(met, met.frame.withColumns(pl.lit(1).cast(pl.Int64).alias("one")), "withColumns(one)", {
    key: ["one"],
  });
  return dice.chance(0.5)
    ? onWindows(dice, one)
    : add(one, one.frame.withColumns(pl.col(on).cumCount().over("one").alias("place")), "over(one)");
};

/** A random one; what has no exact meaning is refused when it is compiled, or here. */
export function wholeProgram(dice: Dice): WholeProgram {
  let built: Building = { frame: opened("phones"), text: "phones", key: ["device"], readings: true };
  for (let left = dice.int(1, 3); left > 0 && built.readings; left--) built = dice.pick(ON_READINGS)(dice, built);
  if (built.readings && dice.chance(0.6)) {
    built = dice.pick(GROUPS)(dice, built);
    if (built.updates === undefined && dice.chance(0.5)) built = dice.pick([onWindows, windowsMeet])(dice, built);
  }
  return built;
}

/** Records of a topic, per partition, in order. @param orderly their times rise, and no two of all topics are equal */
export function randomRecords(dice: Dice, name: string, partitions: number, orderly: boolean): TestRecord[][] {
  const place = TOPICS.indexOf(name);
  const records = Array.from({ length: partitions }, () => [] as TestRecord[]);
  let time = 0;
  const count = dice.pick([0, 1, 10, 40]);
  // what still waits at the end is what its own partition has not passed: hours later all have passed the same
  const last = orderly ? Array.from({ length: partitions }, (_, partition) => keyOf(partition, partitions)) : [];
  for (let i = 0; i < count + last.length; i++) {
    if (i === count) time = 3_600_000;
    time += orderly ? dice.int(1, 60) : dice.int(-900, 1100);
    const device = i >= count ? last[i - count]! : dice.chance(0.05) ? null : dice.pick(DEVICES);
    // as Kafka's own producers do: rows that are placed anew meet those of topics
    const partition = device === null ? 0 : partitionOf(partitions, Buffer.from(device));
    const t = orderly ? time * TOPICS.length + place : Math.max(0, time);
    const common = { device, t, _partition: partition };
    records[partition]!.push(
      name === "owners"
        ? { ...common, owner: dice.pick(["ann", "bob", null]) }
        : {
            ...common,
            x: dice.chance(0.1) ? null : dice.int(-40, 40) / 8,
            j: dice.chance(0.05) ? null : dice.int(0, 3),
            s: dice.pick(["p", "q", null]),
            n: i,
          },
    );
  }
  return records;
}

/** Some key whose records go to this partition. */
function keyOf(partition: number, partitions: number): string {
  for (let i = 0; ; i++) if (partitionOf(partitions, Buffer.from(`end ${i}`)) === partition) return `end ${i}`;
}
