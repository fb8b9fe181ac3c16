import { Refusal } from "../error.ts";
import { parseDuration } from "../plan/duration.ts";
import { positive } from "./window-options.ts";

export interface UniqueOptions {
  /** The columns that are compared; the record key is among them. */
  readonly subset: string | readonly string[];
  /** Which of equal rows is given; the first is the only one known when it arrives. */
  readonly keep?: "first" | "any";
  /** How long in event time a row is remembered (`"1h"`). */
  readonly within?: string;
  /** How long in event time a row is remembered after the last one with its values, given or not. */
  readonly ttl?: string;
}

/** @throws Refusal `NO_SUBSET`, `BAD_OPTION`, `BAD_DURATION`, `NO_EXACT_STREAMING_MEANING` */
export function uniqueOptions(options: UniqueOptions): { subset: readonly string[]; within?: number; ttl?: number } {
  const { subset, keep = "first", within, ttl, ...others } = options ?? {};
  const names = subset === undefined ? [] : [subset].flat();
  for (const name of Object.keys(others))
    throw new Refusal({
      code: "BAD_OPTION",
      what: `unique has no option "${name}" on a stream`,
      remedies: ["its options are subset, keep, within, ttl"],
    });
  if (names.length === 0 || names.some((name) => typeof name !== "string"))
    throw new Refusal({
      code: "NO_SUBSET",
      what: "unique() was not told which columns to compare",
      where: "unique",
      remedies: ['name them in `subset`: .unique({ subset: ["device", "id"], within: "1h" })'],
    });
  if (keep !== "first" && keep !== "any")
    throw new Refusal({
      code: "NO_EXACT_STREAMING_MEANING",
      what: `unique with keep "${keep}" has no exact meaning on a stream: it needs rows that have not arrived yet`,
      where: "unique",
      remedies: [
        'keep: "first"',
        `the last values per key, updated as rows arrive: .groupBy(${names.map((name) => JSON.stringify(name)).join(", ")}).agg(pl.col("…").last())`,
      ],
    });
  if (ttl !== undefined && within !== undefined)
    throw new Refusal({
      code: "BAD_OPTION",
      what: "unique is given both within and ttl",
      where: "unique",
      remedies: [
        "within: a row is given again that long after it was given",
        "ttl: … that long after its last duplicate",
      ],
    });
  if (ttl !== undefined) return { subset: names, ttl: positive(ttl, "ttl") };
  if (within === undefined) return { subset: names };
  const ms = parseDuration(within, "within");
  if (ms <= 0) throw new Refusal({ code: "BAD_DURATION", what: `within "${within}" must be longer than nothing` });
  return { subset: names, within: ms };
}
