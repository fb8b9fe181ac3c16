import type { Compiled } from "./compile.ts";
import type { IntervalPlan } from "./join-interval.ts";
import type { Lineage } from "./lineage.ts";

/** What the columns of an interval join still hold: keys that every row has; its event time is `_time` alone, that of the later of two rows. */
export function joinedLineage(left: Compiled, right: Compiled, { how, values, coalesced }: IntervalPlan): Lineage {
  const side = how === "right" ? right : left;
  const name = how === "right" ? "right" : "left";
  const complete = how !== "full" || coalesced.length > 0;
  const after = (held: ReadonlySet<string>): Set<string> =>
    new Set([
      ...[...held].filter((column) => column === "_key"),
      ...(complete
        ? values
            .filter((value) => value.side === name && held.has(value.from))
            .filter(({ to }) => how !== "full" || coalesced.some((one) => one.to === to))
            .map(({ to }) => to)
        : []),
    ]);
  const { key, others, ...lineage } = side.lineage;
  return {
    ...lineage,
    key: after(key),
    ...(others && { others: others.map(after) }),
    time: new Set(["_time"]),
  };
}
