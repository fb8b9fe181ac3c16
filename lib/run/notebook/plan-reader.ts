import type pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import type { Position, Until } from "../../frame/driver.ts";
import { type Cluster, type FetchedPartition, Fetcher, PartitionWatch, takeRecords } from "../../log/index.ts";
import { sharedId } from "../../operators/own-sources.ts";
import { compile, type Program, type ProgramSource, type ProgramTerminal } from "../../operators/program.ts";
import { inOwnOrders } from "../../operators/reading-order.ts";
import type { BadRow } from "../../operators/task.ts";
import { type PlanNode, sourcesOf } from "../../plan/nodes/plan-node.ts";
import type { Schema } from "../../schema.ts";
import { ProgramRunner, type RunnerOptions, type RunnerResult } from "../memory/program-runner.ts";
import { type BadRecord, badRecordAt, indexOfOffset } from "../source/bad-record.ts";
import { checkPartitionCounts } from "../source/check-partition-counts.ts";
import { KeyPlacement } from "../source/key-placement.ts";
import { oncePerRecord } from "../source/once-per-record.ts";
import { type Fetched, type SourceCounts, SourceReader } from "../source/source-reader.ts";
import { rowsSchema } from "../source/source-schema.ts";
import { type Bound, boundOf, type Offsets, offsetsOf } from "./positions.ts";
import { sampleSchema } from "./sample-schema.ts";
import { SchemaDrift } from "./schema-drift.ts";
import type { Session, TopicRanges } from "./session.ts";
import { Slices } from "./slices.ts";
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
  /** Sees the rows of sources as they go into the program. */
  readonly tap?: (source: string, topic: string, partition: number, rows: pl.DataFrame) => void;
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
/** A live read waits so long for a topic that others are read in order with, ms. */
const PATIENCE = 1000;
/** How soon a live read notices that a topic has more partitions, ms. */
const PARTITIONS_AGE = 5000;
/** A partition that is so many rows ahead of what it is read in order with is not fetched for a while. */
const MOST_WAITING = 200_000;

/** What came is given out after so long, also while there is more of it, ms. */
const TURN = 200;

/** A plan, compiled for a notebook. */
export interface CompiledPlan {
  readonly program: Program;
  readonly terminal: ProgramTerminal;
  /** {@link sharedId} of a source -> how its messages are written; promotion freezes it. */
  readonly wires: ReadonlyMap<string, Schema>;
}

/** Compiles a plan against the schemas of its topics, inferred where the program gives none. */
export async function compilePlan(
  session: Session,
  node: PlanNode,
  connect: () => Promise<Cluster>,
): Promise<CompiledPlan> {
  const wires = new Map<string, Schema>();
  const rows = new Map<string, Schema>();
  for (const source of sourcesOf([node])) {
    let wire = source.schema ?? session.schemas.get(source.id);
    if (wire === undefined) {
      wire = await sampleSchema(await connect(), source);
      session.schemas.set(source.id, wire);
    }
    wires.set(source.id, wire);
    rows.set(source.id, rowsSchema(source, wire));
  }
  const { terminals, schemas } = inOwnOrders([node], rows);
  const program = compile(terminals, schemas);
  return { program, terminal: program.terminals[0]!, wires };
}

/** One of the program's sources, and the topics it is read from. */
interface Input {
  readonly source: ProgramSource;
  readonly reader: SourceReader;
  readonly drift: SchemaDrift;
  readonly topics: readonly string[];
}

/**
 * Reads the topics of a plan by assignment and runs the plan over them, in memory. It joins no group, commits nothing and creates nothing
 * (law 4); state ends with it. Inputs that are read in one order wait for each other: without limit where the range has an end, else
 * for a second.
 */
export class PlanReader {
  readonly terminal: ProgramTerminal;
  readonly bound: Bound;
  readonly #session: Session;
  readonly #compiled: CompiledPlan;
  readonly #inputs: readonly Input[];
  readonly #runnerOptions: RunnerOptions;
  readonly #placement: KeyPlacement;
  readonly #runner: ProgramRunner;
  readonly #fetcher: Fetcher;
  readonly #places: Map<string, Place>;
  readonly #tap: ReadOptions["tap"];
  readonly #slices = new Slices();
  readonly #paused = new Set<Place>();
  /** topic -> that it has more partitions than are read, in words. */
  readonly #grown = new Map<string, string>();
  readonly #watch: PartitionWatch | undefined;
  readonly #bad: BadRecord[] = [];
  readonly #openedAt = performance.now();
  #begun = false;
  #ended = false;
  #rowsOut = 0;
  #records = 0;
  #badRows = 0;
  #closed = false;

  private constructor(
    session: Session,
    compiled: CompiledPlan,
    inputs: readonly Input[],
    fetcher: Fetcher,
    places: Map<string, Place>,
    bound: Bound,
    tap: ReadOptions["tap"],
    cluster: Cluster,
  ) {
    this.#session = session;
    this.#tap = tap;
    if (bound.ends === undefined) {
      const topics = [...new Set(inputs.flatMap(({ topics }) => topics))];
      this.#watch = new PartitionWatch(cluster, topics, (...grown) => this.#noteGrown(...grown), PARTITIONS_AGE);
    }
    this.#compiled = compiled;
    this.#placement = new KeyPlacement(compiled.program);
    this.terminal = compiled.terminal;
    this.#inputs = inputs;
    this.#fetcher = fetcher;
    this.#places = places;
    this.bound = bound;
    const counts = new Map<string, number>();
    for (const { topic, partition } of places.values())
      counts.set(topic, Math.max(counts.get(topic) ?? 0, partition + 1));
    this.#runnerOptions = {
      topics: new Map(
        inputs.map(({ source, topics }) => [
          source.id,
          new Map(topics.map((topic) => [topic, counts.get(topic) ?? 0])),
        ]),
      ),
      patience: bound.ends === undefined ? PATIENCE : Number.POSITIVE_INFINITY,
    };
    this.#runner = this.newRunner();
  }

  /** What runs the program anew, over rows that are given to it. */
  newRunner(): ProgramRunner {
    return new ProgramRunner(this.#compiled.program, this.#runnerOptions);
  }

  /** @throws MillraceError when the topics are not there, are empty without a schema, or the brokers cannot be reached */
  static async open(session: Session, node: PlanNode, options: ReadOptions): Promise<PlanReader> {
    const cluster = await session.acquire();
    try {
      const compiled = await compilePlan(session, node, async () => cluster);
      const { program, wires } = compiled;
      const inputs: Input[] = [];
      for (const source of program.sources) {
        const wire = wires.get(sharedId(source.id))!;
        const reader = new SourceReader(source, wire);
        inputs.push({
          source,
          reader,
          drift: new SchemaDrift(source.node, wire),
          topics: await topicsOf(cluster, source.node),
        });
      }
      const topics = [...new Set(inputs.flatMap(({ topics }) => topics))];
      const metadata = await cluster.metadata(topics);
      checkPartitionCounts(
        program,
        new Map([...metadata].map(([topic, { partitions }]) => [topic, partitions.length])),
      );
      const bound = options.bounded ? await boundOf(cluster, topics, options.until) : {};
      const places = await placesOf(cluster, topics, options.from, bound.ends);
      const fetcher = new Fetcher(cluster, {
        headers: program.sources.some(({ needsHeaders }) => needsHeaders),
        newlines: "keep",
        patience: options.patience ?? 60_000,
      });
      for (const { topic, partition, start, end } of places.values()) {
        if (end === undefined || start < end) fetcher.assign(topic, partition, start);
      }
      const reader = new PlanReader(session, compiled, inputs, fetcher, places, bound, options.tap, cluster);
      if (options.shows) for (const { id } of program.sources) session.shown.set(id, reader);
      return reader;
    } catch (error) {
      session.release();
      throw error;
    }
  }

  /** For how long it has been open. */
  get milliseconds(): number {
    return Math.round(performance.now() - this.#openedAt);
  }

  /** True when every partition has reached its end. */
  get done(): boolean {
    return this.#ended || (!this.#begun && this.#allRead);
  }

  get #allRead(): boolean {
    for (const { next, end } of this.#places.values()) if (end === undefined || next < end) return false;
    return true;
  }

  /** The rows of what came next from the brokers; empty when none came within `timeout` ms. */
  async next(timeout?: number): Promise<ReadRows[]> {
    const out: ReadRows[] = [];
    if (!this.#begun) {
      this.#begun = true;
      for (const place of this.#places.values()) if (isRead(place)) out.push(...(await this.#finish(place)));
    }
    if (this.#slices.empty) this.#slices.add(await this.#fetcher.poll(timeout));
    for (const end = performance.now() + TURN; !this.#closed && !this.#slices.empty; ) {
      out.push(...(await this.#slices.each((fetched) => this.#process(fetched))));
      if (performance.now() >= end) break;
    }
    if (this.#closed) return out;
    if (this.bound.ends === undefined) {
      const isReadUp = (topic: string, partition: number, waited: number) =>
        !this.#slices.has(topic, partition) && this.#fetcher.isReadUp(topic, partition, performance.now() - waited);
      out.push(...this.#taken(await this.#runner.advance(Date.now(), isReadUp)));
    } else if (!this.#ended && this.#allRead) {
      this.#ended = true;
      out.push(...this.#taken(await this.#runner.end()));
    }
    this.#resume();
    return out;
  }

  async #process(fetched: FetchedPartition): Promise<ReadRows[]> {
    if (fetched.error !== undefined) throw fetched.error;
    const { topic, partition } = fetched;
    const place = this.#places.get(`${topic}/${partition}`)!;
    place.highWatermark = fetched.highWatermark;
    const columns = place.end === undefined ? fetched.columns : upTo(fetched.columns, place.end);
    place.next = Math.max(place.next, Math.min(fetched.nextOffset, place.end ?? Number.POSITIVE_INFINITY));
    if (isRead(place)) this.#fetcher.unassign(topic, partition);
    const out: ReadRows[] = [];
    const found: BadRecord[] = [];
    this.#records += columns.count;
    for (const { source, reader, drift, topics } of this.#inputs) {
      if (!topics.includes(topic)) continue;
      const records = { topic, partition, columns };
      const unknown = reader.counts.unknownFields;
      const { frame, bad } = reader.read(records);
      const partitions = this.#runnerOptions.topics.get(source.id)!.get(topic)!;
      this.#placement.check(source.id, { topic, partition, partitions }, frame);
      found.push(...bad);
      drift.look(columns, reader.counts.unknownFields > unknown || bad.length > 0);
      this.#tap?.(source.id, topic, partition, frame);
      out.push(...this.#taken(await this.#runner.feed(source.id, topic, partition, frame), records));
    }
    // a record is counted once, however many inputs read it
    for (const record of oncePerRecord(found)) {
      this.#badRows++;
      this.#noteBad(record);
    }
    if (this.#waiting(place) > MOST_WAITING && !isRead(place) && !this.#slices.has(topic, partition)) {
      this.#paused.add(place);
      this.#fetcher.unassign(topic, partition);
    }
    if (isRead(place)) out.push(...(await this.#finish(place)));
    return out;
  }

  /** All of a partition has been read. */
  async #finish({ topic, partition }: Place): Promise<ReadRows[]> {
    const out: ReadRows[] = [];
    for (const { source, topics } of this.#inputs)
      if (topics.includes(topic)) out.push(...this.#taken(await this.#runner.finish(source.id, topic, partition)));
    return out;
  }

  /** Goes on reading what was too far ahead of others. */
  #resume(): void {
    for (const place of this.#paused) {
      const { topic, partition, next } = place;
      if (this.#waiting(place) > MOST_WAITING / 2) continue;
      this.#paused.delete(place);
      this.#fetcher.assign(topic, partition, next);
    }
  }

  /** How many rows of a partition wait for others; of several inputs that read it where the fewest do, for which it has to go on. */
  #waiting({ topic, partition }: Place): number {
    const reading = this.#inputs.filter(({ topics }) => topics.includes(topic));
    return Math.min(...reading.map(({ source }) => this.#runner.waiting(source.id, topic, partition)));
  }

  #noteBad(record: BadRecord): void {
    if (this.#bad.length < BAD_KEPT) this.#bad.push(record);
  }

  /** The rows of windows that are still open. */
  async openRows(): Promise<ReadRows[]> {
    return this.#taken(await this.#runner.openRows());
  }

  /** @param records that the rows were made of, where there are no others */
  #taken({ rows, bad }: RunnerResult, records?: Fetched): ReadRows[] {
    this.#badRows += bad.length;
    for (const row of bad) this.#noteBad(badRecordOf(row, this.#inputs, records));
    return rows
      .filter(({ terminal, frame }) => terminal === this.terminal.id && frame.height > 0)
      .map(({ task, frame }) => {
        this.#rowsOut += frame.height;
        return { task, rows: frame };
      });
  }

  /** The largest event time of a task so far, ms; NaN before its first row. */
  watermarkOf(task: string): number {
    return this.#runner.watermarkOf(task);
  }

  /** That of the task which a partition of a topic belongs to. */
  watermarkOfPartition(topic: string, partition: number): number {
    const own = this.#runner.watermarkOf(`${topic}/${partition}`);
    return Number.isNaN(own) ? this.#runner.watermarkOf(String(partition)) : own;
  }

  /** Where each partition is: its next offset, and the offset after its last record as far as is known. */
  get positions(): readonly { topic: string; partition: number; next: number; end: number }[] {
    return [...this.#places.values()].map(({ topic, partition, next, end, highWatermark }) => ({
      topic,
      partition,
      next,
      end: end ?? highWatermark,
    }));
  }

  /** Task names in a fixed order. */
  get taskNames(): readonly string[] {
    return this.#runner.taskNames;
  }

  get counts() {
    let lag = 0;
    let total = 0;
    for (const { start, next, end, highWatermark } of this.#places.values()) {
      lag += Math.max(0, (end ?? highWatermark) - next);
      total += Math.max(0, (end ?? highWatermark) - start);
    }
    const sum = (name: keyof SourceCounts) => this.#inputs.reduce((sum, { reader }) => sum + reader.counts[name], 0);
    return {
      records: this.#records,
      bad: this.#badRows,
      unknownFields: sum("unknownFields"),
      keyDifferences: sum("keyDifferences"),
      rowsOut: this.#rowsOut,
      lag,
      total,
      late: this.#runner.counts().late ?? 0,
      /** The smallest over the partitions that have rows; NaN before the first. */
      watermark: this.#runner.watermark,
      stateRows: this.#runner.stateRows,
      openWindows: this.#runner.openWindows,
      /** How often reading went on without a topic that others are read in order with. */
      wentOn: this.#runner.wentOn,
    };
  }

  /** How the messages of a topic are written; promotion freezes it. */
  wireOf(topic: string): Schema {
    const input = this.#inputs.find(({ topics }) => topics.includes(topic))!;
    return this.#compiled.wires.get(sharedId(input.source.id))!;
  }

  /** What the topics bring that their schemas do not say, and partitions that are not read, in words. */
  get drift(): readonly string[] {
    return [...new Set([...this.#grown.values(), ...this.#inputs.flatMap(({ drift }) => drift.lines)])];
  }

  /** Partitions place keys by their number: read on with more of them, the rows of a key would be in two places with half of its state each. */
  #noteGrown(topic: string, _: number, now: number): void {
    const read =
      this.#runnerOptions.topics
        .values()
        .find((counts) => counts.has(topic))
        ?.get(topic) ?? 0;
    if (now > read)
      this.#grown.set(
        topic,
        `topic ${topic} now has ${now} partitions, of which ${read} are read: run the cell again, or go to a place, to read all`,
      );
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
    this.#watch?.close();
    const { shown } = this.#session;
    // the ranges outlive the reader, its state does not
    for (const { source } of this.#inputs)
      if (shown.get(source.id) === this) shown.set(source.id, { ranges: this.ranges });
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

const isRead = ({ next, end }: Place): boolean => end !== undefined && next >= end;

/** As much of a bad row's record as is still at hand: records that waited for others are no longer. */
function badRecordOf(
  { source, partition, offset, reason }: BadRow,
  inputs: readonly Input[],
  records?: Fetched,
): BadRecord {
  if (records !== undefined && records.partition === partition) {
    const index = indexOfOffset(records.columns.offsets!, offset);
    if (index >= 0) return badRecordAt(records, index, reason);
  }
  const topics = inputs.find((input) => input.source.id === source)?.topics ?? inputs.flatMap(({ topics }) => topics);
  return { topic: topics.join(", "), partition, offset, timestamp: -1, key: null, value: null, reason };
}
