import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { parseDuration, printDuration } from "../plan/duration.ts";
import { type PlanNode, sourcesOf } from "../plan/nodes/plan-node.ts";
import { selectNode } from "../plan/nodes/select-node.ts";
import { colTree } from "../plan/tree.ts";
import { type CollectOptions, driver } from "./driver.ts";

export interface LatenessOptions extends Pick<CollectOptions, "from" | "until" | "signal"> {
  /** Tumbling windows of this length; without it a row is late as soon as it is further behind than the grace. */
  readonly every?: string;
  /** The graces to try; by default 0s, 100ms, 200ms, 500ms, 1s, … until none is late. */
  readonly grace?: readonly string[];
}

const STEPS = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];
const HOUR = 3_600_000;

/**
 * How many rows of the topics of `node` each grace would lose: those whose window had closed when they came, by the largest event time of their
 * partition before them. Filters and other verbs do not matter to it, as they do not to watermarks.
 * @returns topic (Utf8), grace (Utf8), rows, late (Int64), share (Float64, of rows), longest (Int64, ms by which the latest row was behind)
 */
export async function lateness(node: PlanNode, options: LatenessOptions): Promise<pl.DataFrame> {
  const { every, grace, ...range } = options;
  const length = every === undefined ? 0 : parseDuration(every, "every");
  const given = grace?.map((text) => parseDuration(text, "grace"));
  if (given?.length === 0)
    throw new Refusal({ code: "BAD_OPTION", what: "grace is empty", where: "lateness", remedies: ['grace: ["1s"]'] });
  const tables: pl.DataFrame[] = [];
  for (const source of sourcesOf([node])) {
    const place = ["_partition", "_offset", "_time"].map((name) => colTree(name));
    const rows = await driver().collect(selectNode({ input: source, exprs: place }), range);
    tables.push(ofTopic(source.pattern ?? source.topics.join(", "), rows, length, given));
  }
  return tables.length === 1 ? tables[0]! : pl.concat(tables);
}

function ofTopic(topic: string, rows: pl.DataFrame, every: number, given: readonly number[] | undefined): pl.DataFrame {
  const { past, longest } = behind(rows, every);
  const lateWith = (ms: number) => past.filter((by) => by >= ms).length;
  const graces = given ?? untilNone(lateWith);
  const late = graces.map(lateWith);
  const same = <T>(value: T) => graces.map(() => value);
  return pl.DataFrame([
    pl.Series("topic", same(topic), pl.Utf8),
    pl.Series("grace", graces.map(printDuration), pl.Utf8),
    pl.Series("rows", same(rows.height), pl.Int64),
    pl.Series("late", late, pl.Int64),
    pl.Series(
      "share",
      late.map((count) => (rows.height === 0 ? 0 : count / rows.height)),
      pl.Float64,
    ),
    pl.Series("longest", same(longest), pl.Int64),
  ]);
}

/** For each row how far its partition's watermark was past the end of its window when it came, ms; not for rows whose window was open. */
function behind(rows: pl.DataFrame, every: number): { past: number[]; longest: number } {
  const ordered = rows.sort(["_partition", "_offset"]);
  const numbers = (name: string) =>
    ordered.select(pl.col(name).cast(pl.Int64).cast(pl.Float64)).getColumn(name).toArray() as number[];
  const [partitions, times] = [numbers("_partition"), numbers("_time")];
  const past: number[] = [];
  let longest = 0;
  let watermark = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < times.length; i++) {
    if (i === 0 || partitions[i] !== partitions[i - 1]) watermark = Number.NEGATIVE_INFINITY;
    const time = times[i]!;
    // a window of no length has closed once the watermark is past its only instant
    const end = every === 0 ? time + 1 : (Math.floor(time / every) + 1) * every;
    if (watermark >= end) past.push(watermark - end);
    longest = Math.max(longest, watermark - time);
    watermark = Math.max(watermark, time);
  }
  return { past, longest };
}

/** Graces from none up to the first that loses nothing. */
function untilNone(lateWith: (ms: number) => number): number[] {
  const graces = [0];
  for (let i = 0; lateWith(graces.at(-1)!) > 0; i++) graces.push(STEPS[i] ?? HOUR * 2 ** (i - STEPS.length));
  return graces;
}
