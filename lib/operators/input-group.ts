import pl from "nodejs-polars";
import { once } from "../once.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { isForeign } from "../plan/table-keys.ts";
import type { Schema } from "../schema.ts";
import type { Compiled } from "./compile.ts";
import { nullInt } from "./exprs.ts";
import type { PackedBatch } from "./packed-batch.ts";
import { Rows } from "./rows.ts";
import { type Watermarks, withWatermark } from "./watermarks.ts";

/** Inputs whose rows meet somewhere in the program: they are read as one, in one order, with one watermark. */
export interface InputGroup {
  /** The name of its watermark in the state. */
  readonly name: string;
  /** Ids of its inputs, in the order of reading. */
  readonly inputs: readonly string[];
  /** Inputs that bring their own `_order` and `_watermark`: rows that were placed anew. */
  readonly placed: ReadonlySet<string>;
  /** Whether rows need `_watermark`. */
  readonly watermark: boolean;
  /** Whether rows need `_sequence`: some meet others. */
  readonly sequence: boolean;
  /** Whether rows of some are joined with those of others by keys, so that these have to lie in partitions of the same number. */
  readonly joined: boolean;
}

/** The groups of a program's inputs: those that a join or concat brings together, each other input by itself. */
export function inputGroups(nodes: readonly Compiled[]): InputGroup[] {
  const ids = nodes.filter(({ inputs }) => inputs.length === 0).map(({ sources }) => sources[0]!.id);
  const groupOf = new Map(ids.map((id) => [id, new Set([id])]));
  for (const { sources } of nodes) {
    const met = new Set(sources.flatMap(({ id }) => [...groupOf.get(id)!]));
    for (const id of met) groupOf.set(id, met);
  }
  return [...new Set(groupOf.values())].map((members) => {
    const inputs = ids.filter((id) => members.has(id));
    const own = nodes.filter(({ sources }) => members.has(sources[0]!.id));
    return {
      name: inputs.join("+"),
      inputs,
      placed: new Set(own.flatMap(({ sources }) => sources.filter(({ kind }) => kind === "keyBy").map(({ id }) => id))),
      watermark: own.some(({ watermark }) => watermark === true),
      sequence: own.some(({ inputs }) => inputs.length > 1),
      joined: own.some(({ node, lineage }) => isJoin(node) && lineage.single !== true),
    };
  });
}

/** A join by keys of two streams or tables; a table that goes everywhere is met wherever it is. */
function isJoin(node: PlanNode): boolean {
  if (node.kind === "joinTables") return !isForeign(node);
  return node.kind === "join" || node.kind === "joinAsof" || node.kind === "joinTable";
}

/** What {@link enter} adds to the rows. */
export function enteredSchema({ placed, watermark, sequence }: InputGroup): Schema {
  return {
    ...(watermark && { _watermark: "Int64" }),
    ...(sequence && { _sequence: "Int64" }),
    ...(placed.size > 0 && { _order: "Int64" }),
  };
}

const RUNNING = pl.col("_time").cast(pl.Int64).cumMax().forwardFill();
const [ORDER, TRAVELLED] = ["_order", "_watermark"].map((name) => pl.col(name));
const [INPUT, ROW] = ["§input", "§row"].map((name) => pl.col(name));
const AT = pl.intRange(pl.len()).alias("§row");
const NONE = nullInt("_watermark");
const OWN_TIME = pl.col("_time").cast(pl.Int64).alias("§time");
const NO_TIME = nullInt("§time");
/** Sent after rows of later times: those of records are where their own time, or the watermark before them, is. */
const WAITED = ORDER!.gt(pl.maxHorizontal([TRAVELLED!, pl.col("§time")]));

/**
 * Takes the batches of a group in: gives each row what depends on its place in the order of reading (`_watermark`, and where several
 * inputs meet `_sequence`), and moves the group's watermark on.
 *
 * The order is that of the running maximum of event time in each input, ties by the order of inputs; rows that were placed anew bring
 * theirs along as `_order`. `_watermark` is the largest of it before the row; lateness judged from it is that which the row had in its own
 * input, since all that is before the row there is before it here too.
 * @param frames one per input, in order
 * @param known how far the inputs have come beyond these rows, ms; NaN where nothing is known
 */
export async function enter(
  group: InputGroup,
  frames: readonly pl.DataFrame[],
  known: number,
  watermarks: Watermarks,
): Promise<{ frames: readonly pl.DataFrame[]; watermark: number }> {
  const reached = watermarks.of(group.name);
  if (group.inputs.length === 1 && group.placed.size === 0) {
    const [frame] = frames as [pl.DataFrame];
    // by series: a query would be a wait for Polars' thread
    const largest = frame.height === 0 ? null : (frame.getColumn("_time").cast(pl.Int64).max() as number | null);
    const watermark = await watermarks.advance(group.name, Number(largest ?? Number.NaN));
    return { frames: [placedAlone(group, frame, reached)], watermark };
  }
  const last = group.placed.size === 0 ? reached : watermarks.of(`${group.name}/order`);
  const placed = inOrder(group, frames, reached, last);
  const end = placed.height === 0 ? Number.NaN : Number(placed.getColumn("_order").max());
  await watermarks.advance(`${group.name}/order`, end);
  const watermark = await watermarks.advance(group.name, Math.max(...[end, known].filter((ms) => !Number.isNaN(ms))));
  return { frames: withPlaces(group, frames, placed), watermark };
}

/** What {@link enter} gives the rows of the only input of a group. @param reached the watermark before them */
function placedAlone(group: InputGroup, frame: pl.DataFrame, reached: number): pl.DataFrame {
  const placed = group.watermark ? withWatermark(frame, reached) : frame;
  return group.sequence ? placed.withColumns(AT.alias("_sequence")) : placed;
}

/**
 * The same for records that hold many rows each, of the only input of a group that was not placed anew; a frame is made of them once, when somebody wants it.
 * @param rowsOf their rows, as of other batches
 */
export async function enterPacked(
  group: InputGroup,
  batch: PackedBatch,
  rowsOf: () => pl.DataFrame,
  watermarks: Watermarks,
): Promise<Rows> {
  const before = watermarks.of(group.name);
  await watermarks.advance(
    group.name,
    batch.records.greatest.reduce((a, b) => Math.max(a, b)),
  );
  return new Rows(
    once(() => placedAlone(group, rowsOf(), before)),
    { batch, before },
  );
}

/** Rows that were placed anew, as {@link enter} would take them in now; nothing is moved on. */
export function asEntered(
  group: InputGroup,
  frames: readonly pl.DataFrame[],
  watermarks: Watermarks,
): readonly pl.DataFrame[] {
  const last = watermarks.of(`${group.name}/order`);
  return withPlaces(group, frames, inOrder(group, frames, watermarks.of(group.name), last));
}

/** Each frame with what its rows' places say. */
function withPlaces(group: InputGroup, frames: readonly pl.DataFrame[], placed: pl.DataFrame): pl.DataFrame[] {
  const back = placed.sort([INPUT!, ROW!]);
  let start = 0;
  const made = Object.keys(enteredSchema(group));
  return frames.map((frame) => {
    const part = back.slice(start, frame.height).select(...made);
    start += frame.height;
    const kept = frame.columns.filter((name) => !made.includes(name) && (group.watermark || name !== "_watermark"));
    return frame.select(...kept).hstack(part) as unknown as pl.DataFrame;
  });
}

/** The time that every row still to come is beyond, ms; what inputs have said to have reached may still come. */
export function passed(group: InputGroup, watermarks: Watermarks): number {
  const reached = watermarks.of(group.name);
  if (group.inputs.length === 1 && group.placed.size === 0) return reached;
  const ofRows = watermarks.of(`${group.name}/order`);
  return Number.isNaN(ofRows) ? reached - 1 : Math.max(ofRows, reached - 1);
}

/** The rows of all frames in the order of reading: `§input`, `§row`, `_order`, `_watermark`, `_sequence`. */
function inOrder(group: InputGroup, frames: readonly pl.DataFrame[], reached: number, last: number): pl.DataFrame {
  const int = (ms: number): pl.Expr[] => (Number.isNaN(ms) ? [] : [pl.lit(ms).cast(pl.Int64)]);
  const all = frames.map((frame, i) => {
    const brought = group.placed.has(group.inputs[i]!);
    const order = brought ? ORDER! : largestOf([RUNNING, ...int(last)]).alias("_order");
    return frame
      .withColumns(order, ...(brought ? [] : [NONE]))
      .select(ORDER!, TRAVELLED!, brought ? OWN_TIME : NO_TIME, pl.lit(i).cast(pl.Int32).alias("§input"), AT);
  });
  const rows = all.length === 1 ? all[0]! : pl.concat(all).sort([ORDER!, INPUT!, ROW!]);
  const before = [ORDER!.cumMax().shift(1), TRAVELLED!, ...int(last)];
  if (!Number.isNaN(reached) && group.placed.size > 0)
    // came after the others went on without it
    before.push(
      pl
        .when(ORDER!.lt(pl.lit(reached)))
        .then(int(reached)[0]!)
        .otherwise(pl.lit(null).cast(pl.Int64)),
    );
  const watermark = largestOf(before);
  // rows that had to wait come after others of later times, and are not late for those
  const known = frames.some((_, i) => group.placed.has(group.inputs[i]!))
    ? pl.when(WAITED).then(TRAVELLED!).otherwise(watermark)
    : watermark;
  return rows.withColumns(known.alias("_watermark"), AT.alias("_sequence"));
}

const largestOf = (exprs: readonly pl.Expr[]): pl.Expr =>
  exprs.length === 1 ? exprs[0]! : pl.maxHorizontal([...exprs]);
