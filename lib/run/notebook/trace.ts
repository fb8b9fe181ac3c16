import { setImmediate } from "node:timers/promises";
import pl from "nodejs-polars";
import { MillraceError, Refusal } from "../../error.ts";
import type { TraceOptions } from "../../frame/driver.ts";
import { sharedId } from "../../operators/own-sources.ts";
import { METADATA } from "../../plan/metadata.ts";
import { type PlanNode, sourcesOf } from "../../plan/nodes/plan-node.ts";
import { timeLeft } from "../amount-done.ts";
import { notebookHost } from "../host.ts";
import { whole } from "./numbers.ts";
import type { PlanReader } from "./plan-reader.ts";
import { ProgressLine } from "./progress.ts";
import { readBounded } from "./read-bounded.ts";
import { hasRow, type WantedRow, wantedRow } from "./row-match.ts";
import type { Session } from "./session.ts";

/** Rows of one partition of a topic as they went into the program. */
interface Fed {
  readonly source: string;
  readonly topic: string;
  readonly partition: number;
  readonly rows: pl.DataFrame;
}

/** A row that was fed: the place of its partition in the list of those, and its own there. */
type Place = readonly [fed: number, row: number];

/** A row of a record, in all places where it was fed: a plan may read a topic more than once (docs/decisions/070). */
type Piece = readonly Place[];

/** The plan is run again and again over fewer records: with more than these that would take too long. */
const MOST_RECORDS = 50_000;
/** After so long it goes on with what it has, and says which records it did not try, ms. */
const PATIENCE = 30_000;

/**
 * The records that a row was made of: a smallest set of records of the range over which the plan gives this row, found by running it over
 * fewer and fewer. Any verb is allowed, as none is looked at: what is said was tried.
 * @returns topic (Utf8), partition (Int32), offset (Int64), time (Datetime), key (Utf8), needed (Boolean: without this record alone the row would
 *   not be there; false where time ran out before that was tried), value (Utf8, the columns the plan uses, as JSON)
 * @throws Refusal `NO_SUCH_COLUMN`, `TOO_MANY_RECORDS`; MillraceError `NO_SUCH_ROW`
 */
export async function trace(
  session: Session,
  node: PlanNode,
  row: Readonly<Record<string, unknown>>,
  { from = "earliest", until, signal }: TraceOptions,
): Promise<pl.DataFrame> {
  const stop = [signal, notebookHost()?.cell()?.signal].filter((each) => each !== undefined);
  const batches = new Map<string, { source: string; topic: string; partition: number; rows: pl.DataFrame[] }>();
  const counts = new Map<string, number>();
  const tap = (source: string, topic: string, partition: number, rows: pl.DataFrame) => {
    const key = JSON.stringify([source, topic, partition]);
    const batch = batches.get(key) ?? { source, topic, partition, rows: [] };
    batch.rows.push(rows);
    batches.set(key, batch);
    // a source that another one is a copy of brings the same ones
    counts.set(source, (counts.get(source) ?? 0) + rows.height);
  };
  let wanted: WantedRow | undefined;
  const range = { from, until, signal, shows: false, what: "reading", tap };
  const reader = await readBounded(session, node, range, (_, { terminal }) => {
    wanted ??= wantedRow(row, terminal.schema);
    const count = [...counts].reduce((sum, [source, rows]) => sum + (source === sharedId(source) ? rows : 0), 0);
    if (count > MOST_RECORDS) throw tooMany(count);
  });
  const fed: Fed[] = [...batches.values()].map(({ rows, ...place }) => ({ ...place, rows: pl.concat(rows) }));
  const search = new Search(reader, fed, wanted ?? wantedRow(row, reader.terminal.schema), stop);
  const pieces = piecesOf(fed);
  const { found, needed } = await search.smallest(pieces, guesses(node, fed, pieces, row));
  return table(fed, found, needed);
}

/** The rows of records, each once: a record is known by its offset, and of several rows that it holds each by its place. */
function piecesOf(fed: readonly Fed[]): Piece[] {
  const pieces = new Map<string, Place[]>();
  for (const [i, { topic, partition, rows }] of fed.entries()) {
    const offsets = rows.getColumn("_offset").cast(pl.Float64).toArray() as number[];
    let nth = 0;
    for (const [row, offset] of offsets.entries()) {
      nth = row > 0 && offsets[row - 1] === offset ? nth + 1 : 0;
      const key = `${partition} ${offset} ${nth} ${topic}`;
      const piece = pieces.get(key);
      if (piece === undefined) pieces.set(key, [[i, row]]);
      else piece.push([i, row]);
    }
  }
  return [...pieces.values()];
}

class Search {
  readonly #reader: PlanReader;
  readonly #fed: readonly Fed[];
  readonly #wanted: WantedRow;
  readonly #stop: readonly AbortSignal[];
  readonly #deadline = performance.now() + PATIENCE;
  readonly #line = new ProgressLine();
  #all = 0;
  #runs = 0;

  constructor(reader: PlanReader, fed: readonly Fed[], wanted: WantedRow, stop: readonly AbortSignal[]) {
    this.#reader = reader;
    this.#fed = fed;
    this.#wanted = wanted;
    this.#stop = stop;
  }

  /** @param guesses smaller sets that may do, to begin with */
  async smallest(all: readonly Piece[], guesses: readonly (readonly Piece[])[]) {
    let pieces = all;
    if (!(await this.#gives(pieces))) throw noSuchRow();
    for (const guess of guesses)
      if (guess.length > 0 && guess.length < pieces.length && (await this.#gives(guess))) pieces = guess;
    for (let size = Math.ceil(pieces.length / 2); size > 1 && this.#inTime; size = Math.ceil(size / 2))
      pieces = (await this.#without(pieces, size)).pieces;
    // one by one, and again as long as that finds any: leaving one out may make another one needless
    for (;;) {
      const { pieces: fewer, tried } = await this.#without(pieces, 1);
      if (fewer.length === pieces.length || !this.#inTime) {
        if (this.#line.shown) this.#line.show("trace", this.#text(fewer.length), 1);
        return { found: fewer, needed: tried };
      }
      pieces = fewer;
    }
  }

  /** Leaves out stretches of so many wherever the row is there without them. */
  async #without(
    all: readonly Piece[],
    size: number,
  ): Promise<{ pieces: readonly Piece[]; tried: ReadonlySet<Piece> }> {
    let pieces = all;
    const tried = new Set<Piece>();
    // from the last on: what came after the row has nothing to do with it
    for (let at = Math.floor((all.length - 1) / size) * size; at >= 0 && this.#inTime; at -= size) {
      const rest = pieces.filter((_, i) => i < at || i >= at + size);
      if (rest.length === pieces.length) continue;
      if (await this.#gives(rest)) pieces = rest;
      else if (size === 1) tried.add(pieces[at]!);
    }
    return { pieces, tried };
  }

  get #inTime(): boolean {
    return performance.now() < this.#deadline;
  }

  /** `trace: 40 of 50,000 records may be needed, 87 runs of the plan in 4.2 s, at most 26 s left` */
  #text(left: number, secondsLeft?: number): string {
    const { seconds } = this.#line;
    const end = secondsLeft === undefined ? "" : `, at most ${timeLeft(secondsLeft)} left`;
    const kept = `${whole(left)} of ${whole(this.#all)} records ${secondsLeft === undefined ? "were" : "may be"} needed`;
    return `trace: ${kept}, ${whole(this.#runs)} runs of the plan in ${seconds.toFixed(1)} s${end}`;
  }

  /** Whether the plan gives the row over these records alone, windows that are open then included. */
  async #gives(pieces: readonly Piece[]): Promise<boolean> {
    // runs of few records wait for nothing: without this, an interrupt would not be heard until the end
    await setImmediate();
    for (const signal of this.#stop) signal.throwIfAborted();
    this.#all = Math.max(this.#all, pieces.length);
    if (this.#line.due()) {
      const left = Math.max(0, this.#deadline - performance.now());
      this.#line.show("trace", this.#text(pieces.length, left / 1000), 1 - left / PATIENCE);
    }
    this.#runs++;
    const rows = new Map<number, number[]>();
    for (const [fed, row] of pieces.flat()) {
      const list = rows.get(fed);
      if (list === undefined) rows.set(fed, [row]);
      else list.push(row);
    }
    const runner = this.#reader.newRunner();
    const given: pl.DataFrame[] = [];
    const take = (result: Awaited<ReturnType<typeof runner.end>>) => {
      for (const { terminal, frame } of result.rows)
        if (terminal === this.#reader.terminal.id && frame.height > 0) given.push(frame);
    };
    for (const [i, { source, topic, partition, rows: all }] of this.#fed.entries()) {
      const kept = rows.get(i);
      if (kept === undefined) continue;
      const part = kept.length === all.height ? all : all.filter(membership(all.height, kept));
      take(await runner.feed(source, topic, partition, part));
    }
    take(await runner.end());
    take(await runner.openRows());
    return given.some((frame) => hasRow(frame, this.#wanted));
  }
}

function membership(height: number, kept: readonly number[]): pl.Series {
  const mask = new Array<boolean>(height).fill(false);
  for (const row of kept) mask[row] = true;
  return pl.Series("kept", mask, pl.Bool);
}

/** The records of the row's key, and of these the ones in its window; and its own offset, where it has one. */
function guesses(
  node: PlanNode,
  fed: readonly Fed[],
  pieces: readonly Piece[],
  row: Readonly<Record<string, unknown>>,
): Piece[][] {
  const fitting = (keep: (one: Fed) => pl.Expr | undefined): Piece[] => {
    const masks = fed.map((one) => {
      const condition = keep(one);
      if (condition === undefined) return undefined;
      return one.rows
        .select(condition.fillNull(pl.lit(false)).alias("kept"))
        .getColumn("kept")
        .toArray();
    });
    return pieces.filter((piece) => piece.some(([i, place]) => masks[i]?.[place] === true));
  };
  const keys = new Map(sourcesOf([node]).map(({ id, key }) => [id, key === undefined ? undefined : row[key]]));
  const ofKey = ({ source }: Fed): pl.Expr | undefined => {
    const key = keys.get(sharedId(source));
    return key === undefined || key === null ? undefined : pl.col("_key").eq(pl.lit(String(key)));
  };
  const [start, end] = ["window_start", "window_end"].map((name) => instant(row[name]));
  const time = pl.col("_time").cast(pl.Int64);
  const inWindow = (one: Fed): pl.Expr | undefined =>
    start === undefined || end === undefined
      ? undefined
      : (ofKey(one) ?? pl.lit(true).and(time.isNotNull())).and(time.gtEq(pl.lit(start))).and(time.lt(pl.lit(end)));
  return [fitting(ofKey), fitting(inWindow)];
}

const instant = (value: unknown): number | undefined =>
  value instanceof Date
    ? value.getTime()
    : typeof value === "string" && value !== ""
      ? finite(Date.parse(value))
      : undefined;

const finite = (ms: number): number | undefined => (Number.isNaN(ms) ? undefined : ms);

function table(fed: readonly Fed[], pieces: readonly Piece[], needed: ReadonlySet<Piece>): pl.DataFrame {
  const sorted = [...pieces].sort(([a], [b]) => a![0] - b![0] || a![1] - b![1]);
  const column = <T>(of: (one: Fed, piece: Piece) => T): T[] => sorted.map((piece) => of(fed[piece[0]![0]]!, piece));
  const cells = (name: string, dtype: pl.DataType) =>
    fed.map(({ rows }) => rows.select(pl.col(name).cast(dtype)).getColumn(name).toArray() as unknown[]);
  const [offsets, times, keys] = [
    cells("_offset", pl.Float64),
    cells("_time", pl.Int64).map((all) => all.map((ms) => (ms === null ? null : Number(ms)))),
    cells("_key", pl.Utf8),
  ];
  const values = fed.map(({ rows }) => {
    const names = rows.columns.filter((name) => !METADATA.includes(name));
    return { rows: names.length === 0 ? undefined : rows.select(...names) };
  });
  const at = <T>(all: readonly (readonly T[])[]) => sorted.map(([first]) => all[first![0]]![first![1]]!);
  return pl
    .DataFrame([
      pl.Series(
        "topic",
        column(({ topic }) => topic),
        pl.Utf8,
      ),
      pl.Series(
        "partition",
        column(({ partition }) => partition),
        pl.Int32,
      ),
      pl.Series("offset", at(offsets) as number[], pl.Int64),
      pl.Series("time", at(times) as number[], pl.Int64),
      pl.Series("key", at(keys) as string[], pl.Utf8),
      pl.Series(
        "needed",
        column((_, piece) => needed.has(piece)),
        pl.Bool,
      ),
      pl.Series(
        "value",
        sorted.map((piece) => jsonOf(piece.map(([one, row]) => values[one]!.rows?.slice(row, 1)))),
        pl.Utf8,
      ),
    ])
    .withColumns(pl.col("time").cast(pl.Datetime("ms")).alias("time"));
}

/** A record as JSON: the columns that any of those that read it used. */
function jsonOf(rows: readonly (pl.DataFrame | undefined)[]): string {
  const record = Object.assign({}, ...rows.map((one) => one?.toRecords()[0]));
  return JSON.stringify(record, (_, value) => (typeof value === "bigint" ? String(value) : value));
}

const tooMany = (count: number) =>
  new Refusal({
    code: "TOO_MANY_RECORDS",
    what: `the range holds more than ${MOST_RECORDS} records (${count} so far), and a row is traced by running the plan over fewer and fewer of them`,
    where: "trace",
    remedies: [
      'give the part it can have come from: trace(row, { from: "-1m" })',
      "or offsets: { from: { 0: 1200 }, until: { 0: 1300 } }",
    ],
  });

const noSuchRow = () =>
  new MillraceError({
    code: "NO_SUCH_ROW",
    what: "the plan gives no such row over this range",
    where: "trace",
    remedies: [
      "give a range that holds its records: trace(row, { from, until })",
      "give only the columns that tell it from others, with values as toRecords() has them: a mean that went on since is another row",
    ],
  });
