import { Refusal } from "../error.ts";

const WHOLE = "it needs the whole frame, and a stream has no end";
const ORDER = "rows of several partitions have no order among them, and more are to come";
const PER_KEY = 'per key: .groupBy("device").agg(…), or per window: .groupByDynamic({ … }).agg(…)';
const COLLECTED = "of a bounded range: (await frame.collect({ from, until }))";

/** Verbs of Polars' LazyDataFrame without an exact meaning on a stream: why, and what to write instead. */
export const REFUSED_VERBS: Readonly<Record<string, { readonly why: string; readonly instead: readonly string[] }>> = {
  sort: { why: WHOLE, instead: ["the rows of a window in order: .agg(pl.col(…).sortBy(…))", `${COLLECTED}.sort(…)`] },
  reverse: { why: WHOLE, instead: [`${COLLECTED}.reverse()`] },
  slice: { why: ORDER, instead: [`${COLLECTED}.slice(…)`, "live({ keep: n }) shows the newest rows"] },
  head: { why: ORDER, instead: [`${COLLECTED}.head(n)`, "the first row per key: .unique({ subset: [key] })"] },
  limit: {
    why: ORDER,
    instead: ["read fewer: .collect({ until: n })", "the first row per key: .unique({ subset: [key] })"],
  },
  first: { why: ORDER, instead: ["the first row per key: .unique({ subset: [key] })"] },
  tail: { why: WHOLE, instead: [`${COLLECTED}.tail(n)`, "live({ keep: n }) shows the newest rows"] },
  last: { why: WHOLE, instead: ['the last per key: .groupBy("device").agg(pl.col(…).last())'] },
  shift: { why: ORDER, instead: ['per key: .withColumns(pl.col(…).shift(1).over("device"))'] },
  shiftAndFill: { why: ORDER, instead: ['per key: .withColumns(pl.col(…).shiftAndFill(1, 0).over("device"))'] },
  max: { why: WHOLE, instead: [PER_KEY] },
  min: { why: WHOLE, instead: [PER_KEY] },
  sum: { why: WHOLE, instead: [PER_KEY] },
  mean: { why: WHOLE, instead: [PER_KEY] },
  std: { why: WHOLE, instead: [PER_KEY] },
  var: { why: WHOLE, instead: [PER_KEY] },
  median: { why: WHOLE, instead: ["per window: .groupByDynamic({ … }).agg(pl.col(…).median())"] },
  quantile: { why: WHOLE, instead: ["per window: .groupByDynamic({ … }).agg(pl.col(…).quantile(0.9))"] },
  unpivot: {
    why: "Polars gives all rows of the first column before those of the second: it needs the whole frame",
    instead: [
      'record by record: .withColumns(pl.concatList([pl.col("x"), pl.col("y")]).alias("value")).explode("value")',
    ],
  },
  withRowIndex: {
    why: ORDER,
    instead: [
      'a number per key: .withColumns(pl.col(…).cumCount().over("device"))',
      'the record\'s own: pl.col("_offset")',
    ],
  },
  inner: { why: "it is a join without keys", instead: ['.join(other, { on: "device", how: "inner", within: "10s" })'] },
  collectSync: { why: "reading a topic takes time", instead: ["await frame.collect()"] },
  cache: { why: "frames that are used twice are read and computed once as it is", instead: ["use the frame itself"] },
  describePlan: { why: "the plan is Millrace's", instead: ["frame.explain()"] },
  describeOptimizedPlan: { why: "the plan is Millrace's", instead: ["frame.explain()"] },
  sinkCSV: {
    why: "a stream has no end at which a file would be whole",
    instead: ['.toParquet("folder").run()', `${COLLECTED}.writeCSV(…)`],
  },
  sinkParquet: { why: "a stream has no end at which a file would be whole", instead: ['.toParquet("folder").run()'] },
  sinkNdJson: {
    why: "a stream has no end at which a file would be whole",
    instead: ['.to("topic")', `${COLLECTED}.writeJSON(…)`],
  },
  sinkIpc: { why: "a stream has no end at which a file would be whole", instead: [`${COLLECTED}.writeIPC(…)`] },
};

/** What {@link REFUSED_VERBS} says when such a verb is called. */
export function refusedVerb(verb: string): Refusal {
  const { why, instead } = REFUSED_VERBS[verb]!;
  return new Refusal({
    code: "NO_EXACT_STREAMING_MEANING",
    what: `.${verb}() has no exact meaning on a stream: ${why}`,
    where: verb,
    remedies: instead,
  });
}

type Refused = (...args: any[]) => any;

/**
 * The verbs of Polars that a stream refuses, each by its name: calling one throws a `Refusal` that says why, and the nearest program that works. Shown by editors
 * as not to be used.
 */
export class RefusedVerbs {
  /** @deprecated Refused on a stream: it needs the whole frame. */ declare readonly sort: Refused;
  /** @deprecated Refused on a stream: it needs the whole frame. */ declare readonly reverse: Refused;
  /** @deprecated Refused on a stream. */ declare readonly slice: Refused;
  /** @deprecated Refused on a stream. */ declare readonly head: Refused;
  /** @deprecated Refused on a stream. */ declare readonly limit: Refused;
  /** @deprecated Refused on a stream. */ declare readonly first: Refused;
  /** @deprecated Refused on a stream. */ declare readonly tail: Refused;
  /** @deprecated Refused on a stream. */ declare readonly last: Refused;
  /** @deprecated Refused on a stream: per key by `.over(key)`. */ declare readonly shift: Refused;
  /** @deprecated Refused on a stream: per key by `.over(key)`. */ declare readonly shiftAndFill: Refused;
  /** @deprecated Refused on a stream: in `agg` of groups or windows. */ declare readonly max: Refused;
  /** @deprecated Refused on a stream: in `agg` of groups or windows. */ declare readonly min: Refused;
  /** @deprecated Refused on a stream: in `agg` of groups or windows. */ declare readonly sum: Refused;
  /** @deprecated Refused on a stream: in `agg` of groups or windows. */ declare readonly mean: Refused;
  /** @deprecated Refused on a stream: in `agg` of groups or windows. */ declare readonly std: Refused;
  /** @deprecated Refused on a stream: in `agg` of groups or windows. */ declare readonly var: Refused;
  /** @deprecated Refused on a stream: in `agg` of windows. */ declare readonly median: Refused;
  /** @deprecated Refused on a stream: in `agg` of windows. */ declare readonly quantile: Refused;
  /** @deprecated Refused on a stream. */ declare readonly unpivot: Refused;
  /** @deprecated Refused on a stream. */ declare readonly withRowIndex: Refused;
}

for (const verb of Object.keys(REFUSED_VERBS))
  Object.defineProperty(RefusedVerbs.prototype, verb, {
    value: () => {
      throw refusedVerb(verb);
    },
  });
