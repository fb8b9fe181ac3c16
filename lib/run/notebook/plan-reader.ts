import type pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import type { Position, Until } from "../../frame/driver.ts";
import { type Cluster, type FetchedPartition, Fetcher, takeRecords } from "../../log/index.ts";
import { compile, type Program, type ProgramSource, type ProgramTerminal } from "../../operators/program.ts";
import type { Task, TaskOutput } from "../../operators/task.ts";
import { type PlanNode, sourcesOf } from "../../plan/nodes/plan-node.ts";
import type { SourceNode } from "../../plan/nodes/source-node.ts";
import type { Schema } from "../../schema.ts";
import { MemoryStore } from "../../state/memory-store.ts";
import { type BadRecord, badRecordAt, indexOfOffset } from "../source/bad-record.ts";
import { refuseUnaligned } from "../source/refuse-unaligned.ts";
import { SourceReader } from "../source/source-reader.ts";
import { describeSource, rowsSchema } from "../source/source-schema.ts";
import { type Bound, boundOf, type Offsets, offsetsOf } from "./positions.ts";
import { sampleSchema } from "./sample-schema.ts";
import type { Session, TopicRanges } from "./session.ts";
import { topicsOf } from "./topics-of.ts";

export interface ReadOptions {
  /** Where reading starts, or what to do where nothing was said. */
  readonly from: Position | "recent";
  /** Without it reading goes on with the topic. */
  readonly until?: Until;
  readonly bounded: boolean;
  /** What is read counts as shown: a sink's `run` goes over the same range. */
  readonly shows: boolean;
  /** How long brokers may be away before `next` throws, ms. */
  readonly patience?: number;
}

/** Rows of one partition's task. */
export interface ReadRows {
  readonly task: string;
  readonly rows: pl.DataFrame;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  next: number;
  readonly end: number | undefined;
  highWatermark: number;
}

/** A live read where the last minute is empty shows this many of the newest records. */
const NEWEST = 10_000;
/** Bad records kept for showing; all are counted. */
const BAD_KEPT = 100;

/** Compiles a plan against the schema of its topics, inferred where the program gives none. */
export async function compilePlan(
  session: Session,
  node: PlanNode,
  connect: () => Promise<Cluster>,
): Promise<{ program: Program; source: ProgramSource; terminal: ProgramTerminal; wire: Schema }> {
  const [sourceNode] = sourcesOf([node]) as [SourceNode];
  let wire = sourceNode.schema ?? session.schemas.get(sourceNode.id);
  if (wire === undefined) {
    wire = await sampleSchema(await connect(), sourceNode);
    session.schemas.set(sourceNode.id, wire);
  }
  const program = compile([node], new Map([[sourceNode.id, rowsSchema(sourceNode, wire)]]));
  refuseUnaligned(program);
  return { program, source: program.sources[0]!, terminal: program.terminals[0]!, wire };
}

/**
 * Reads the topics of a plan by assignment and runs the plan over them, one task per partition. It joins no group, commits nothing and
 * creates nothing (law 4); state is in memory and ends with it.
 */
export class PlanReader {
  readonly terminal: ProgramTerminal;
  readonly source: ProgramSource;
  /** How the messages are written; promotion freezes it. */
  readonly wire: Schema;
  readonly bound: Bound;
  readonly #session: Session;
  readonly #program: Program;
  readonly #reader: SourceReader;
  readonly #fetcher: Fetcher;
  readonly #places: Map<string, Place>;
  readonly #tasks = new Map<string, Task>();
  readonly #stores: MemoryStore[] = [];
  readonly #bad: BadRecord[] = [];
  #rowsOut = 0;
  #badRows = 0;
  #closed = false;

  private constructor(
    session: Session,
    compiled: Awaited<ReturnType<typeof compilePlan>>,
    fetcher: Fetcher,
    places: Map<string, Place>,
    bound: Bound,
  ) {
    this.#session = session;
    this.#program = compiled.program;
    this.terminal = compiled.terminal;
    this.source = compiled.source;
    this.wire = compiled.wire;
    this.#reader = new SourceReader(compiled.source, compiled.wire);
    this.#fetcher = fetcher;
    this.#places = places;
    this.bound = bound;
  }

  /** @throws MillraceError when the topics are not there, are empty without a schema, or the brokers cannot be reached */
  static async open(session: Session, node: PlanNode, options: ReadOptions): Promise<PlanReader> {
    const cluster = await session.acquire();
    try {
      const compiled = await compilePlan(session, node, async () => cluster);
      const { program, source } = compiled;
      const topics = await topicsOf(cluster, source.node);
      if (topics.length > 1 && program.stores.length > 0) throw severalTopicsWithState(source.node);
      const bound = options.bounded ? await boundOf(cluster, topics, options.until) : {};
      const places = await placesOf(cluster, topics, options.from, bound.ends);
      const fetcher = new Fetcher(cluster, { headers: source.needsHeaders, newlines: "keep", patience: options.patience ?? 60_000 });
      for (const { topic, partition, start, end } of places.values()) {
        if (end === undefined || start < end) fetcher.assign(topic, partition, start);
      }
      const reader = new PlanReader(session, compiled, fetcher, places, bound);
      if (options.shows) session.shown.set(source.node.id, reader);
      return reader;
    } catch (error) {
      session.release();
      throw error;
    }
  }

  /** True when every partition has reached its end. */
  get done(): boolean {
    for (const { next, end } of this.#places.values()) if (end === undefined || next < end) return false;
    return true;
  }

  /** The rows of the next answers of the brokers; empty when none came within `timeout` ms. */
  async next(timeout?: number): Promise<ReadRows[]> {
    const out: ReadRows[] = [];
    for (const fetched of await this.#fetcher.poll(timeout)) {
      if (this.#closed) break;
      if (fetched.error !== undefined) throw fetched.error;
      out.push(...(await this.#process(fetched)));
    }
    return out;
  }

  async #process(fetched: FetchedPartition): Promise<ReadRows[]> {
    const { topic, partition } = fetched;
    const name = `${topic}/${partition}`;
    const place = this.#places.get(name)!;
    place.highWatermark = fetched.highWatermark;
    const columns = place.end === undefined ? fetched.columns : upTo(fetched.columns, place.end);
    place.next = Math.max(place.next, Math.min(fetched.nextOffset, place.end ?? Number.POSITIVE_INFINITY));
    if (place.end !== undefined && place.next >= place.end) this.#fetcher.unassign(topic, partition);
    const { frame, bad } = this.#reader.read({ topic, partition, columns });
    for (const record of bad) this.#noteBad(record);
    let task = this.#tasks.get(name);
    if (task === undefined) {
      task = await this.#program.open((spec) => {
        const store = new MemoryStore(spec);
        this.#stores.push(store);
        return store;
      });
      this.#tasks.set(name, task);
    }
    const result = await task.process(new Map([[this.source.id, frame]]));
    for (const { offset, reason } of result.bad)
      this.#noteBad(badRecordAt({ topic, partition, columns }, indexOfOffset(columns.offsets!, offset), reason));
    this.#badRows += result.bad.length;
    return this.#taken(name, result.rows);
  }

  #noteBad(record: BadRecord): void {
    if (this.#bad.length < BAD_KEPT) this.#bad.push(record);
  }

  /** The rows of windows that are still open. */
  async openRows(): Promise<ReadRows[]> {
    const out: ReadRows[] = [];
    for (const [name, task] of this.#tasks) out.push(...this.#taken(name, (await task.openRows()).rows));
    return out;
  }

  #taken(task: string, outputs: readonly TaskOutput[]): ReadRows[] {
    return outputs
      .filter(({ terminal, frame }) => terminal === this.terminal.id && frame.height > 0)
      .map(({ frame }) => {
        this.#rowsOut += frame.height;
        return { task, rows: frame };
      });
  }

  /** Task names in a fixed order: topic, then partition. */
  get taskNames(): string[] {
    return [...this.#places.keys()];
  }

  get counts() {
    let lag = 0;
    let total = 0;
    for (const { start, next, end, highWatermark } of this.#places.values()) {
      lag += Math.max(0, (end ?? highWatermark) - next);
      total += Math.max(0, (end ?? highWatermark) - start);
    }
    let late = 0;
    for (const task of this.#tasks.values()) late += task.counts().late ?? 0;
    const watermarks = [...this.#tasks.values()].map((task) => task.watermark).filter((ms) => !Number.isNaN(ms));
    return {
      ...this.#reader.counts,
      bad: this.#reader.counts.bad + this.#badRows,
      rowsOut: this.#rowsOut,
      lag,
      total,
      late,
      /** The smallest over the partitions that have rows; NaN before the first. */
      watermark: watermarks.length === 0 ? Number.NaN : Math.min(...watermarks),
      stateRows: this.#stores.reduce((sum, store) => sum + store.size, 0),
    };
  }

  /** The first bad records; `counts.bad` has their number. */
  get bad(): readonly BadRecord[] {
    return this.#bad;
  }

  /** What was read: topic -> partition -> [first, after the last]. Partitions of which nothing was read are left out. */
  get ranges(): TopicRanges {
    const ranges = new Map<string, Map<number, readonly [number, number]>>();
    for (const { topic, partition, start, next } of this.#places.values()) {
      if (next <= start) continue;
      const partitions = ranges.get(topic) ?? new Map<number, readonly [number, number]>();
      ranges.set(topic, partitions.set(partition, [start, next]));
    }
    return ranges;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { shown } = this.#session;
    // the ranges outlive the reader, its state does not
    if (shown.get(this.source.node.id) === this) shown.set(this.source.node.id, { ranges: this.ranges });
    await this.#fetcher.close();
    this.#session.release();
  }
}

async function placesOf(
  cluster: Cluster,
  topics: readonly string[],
  from: Position | "recent",
  ends: Offsets | undefined,
): Promise<Map<string, Place>> {
  const first = await offsetsOf(cluster, topics, "earliest");
  const last = await offsetsOf(cluster, topics, "latest");
  const starts =
    from === "recent" ? await recentOffsets(cluster, topics, first, last) : await offsetsOf(cluster, topics, from);
  const places = new Map<string, Place>();
  for (const [topic, partitions] of starts) {
    for (const [partition, offset] of partitions) {
      const [kept, end] = [first.get(topic)?.get(partition), last.get(topic)?.get(partition)];
      if (kept === undefined || end === undefined) throw noSuchPartition(topic, partition);
      const start = Math.max(kept, offset);
      const bound = ends === undefined ? undefined : (ends.get(topic)?.get(partition) ?? end);
      places.set(`${topic}/${partition}`, { topic, partition, start, next: start, end: bound, highWatermark: end });
    }
  }
  return places;
}

/** One minute back; where that is empty, the newest records. */
async function recentOffsets(
  cluster: Cluster,
  topics: readonly string[],
  first: Offsets,
  last: Offsets,
): Promise<Offsets> {
  const minute = await offsetsOf(cluster, topics, "-1m");
  const partitions = [...minute].flatMap(([topic, offsets]) =>
    [...offsets].map(([partition, offset]) => ({ topic, partition, offset })),
  );
  if (partitions.some(({ topic, partition, offset }) => offset < last.get(topic)!.get(partition)!)) return minute;
  const share = Math.ceil(NEWEST / Math.max(1, partitions.length));
  return new Map(
    [...last].map(([topic, offsets]) => [
      topic,
      new Map(
        [...offsets].map(([partition, end]) => [partition, Math.max(first.get(topic)!.get(partition)!, end - share)]),
      ),
    ]),
  );
}

function upTo(columns: FetchedPartition["columns"], end: number): FetchedPartition["columns"] {
  const { count, offsets } = columns;
  if (count === 0 || offsets[count - 1]! < end) return columns;
  let kept = count;
  while (kept > 0 && offsets[kept - 1]! >= end) kept--;
  return takeRecords(
    columns,
    Uint32Array.from({ length: kept }, (_, i) => i),
  ) as FetchedPartition["columns"];
}

const noSuchPartition = (topic: string, partition: number) =>
  new Refusal({ code: "NO_SUCH_PARTITION", what: `topic ${topic} has no partition ${partition}` });

const severalTopicsWithState = (node: SourceNode) =>
  new Refusal({
    code: "NOT_BUILT",
    what: `a program with state over several topics (${describeSource(node)}) is not built yet`,
    remedies: ["read one topic", "or leave out what keeps state: .over(…), windows"],
  });
