import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { formatOf } from "../format/index.ts";
import { Sink } from "../frame/sink.ts";
import { StreamFrame } from "../frame/stream-frame.ts";
import { sharedId } from "../operators/own-sources.ts";
import { compile, type Program } from "../operators/program.ts";
import { inOwnOrders } from "../operators/reading-order.ts";
import { parseDuration } from "../plan/duration.ts";
import { type PlanNode, sourcesOf } from "../plan/nodes/plan-node.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import { ProgramRunner, type RunnerResult } from "../run/memory/program-runner.ts";
import { describeSource, rowsSchema, SourceReader } from "../run/source/index.ts";
import { emptyFrame, type Schema } from "../schema.ts";
import { MemoryStore } from "../state/memory-store.ts";
import { placeRecords, recordColumns, type TestRecord } from "./records.ts";
import { parseTable, tableText } from "./table.ts";

/** A frame or sink under test. */
export type Tested = StreamFrame | Sink;

/** How a program is run in a test. */
export interface DriverOptions {
  /** Partitions of every topic; records go to them by their key, as Kafka's own producers place them. Default 1. */
  readonly partitions?: number;
  /** Schemas of topics that were opened without one; otherwise inferred from the records that are fed first. */
  readonly schemas?: Readonly<Record<string, Schema>>;
  /** Where the clock starts, ms since the epoch or a Date. Default 0. */
  readonly now?: number | Date;
}

/** A record or row that could not be worked on. */
export interface TestBadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}

/**
 * Runs a program in memory as a job would: no broker, a clock that only moves when it is told to, the same rows every time.
 * @example
 * const test = driver(perSecond);
 * await test.feed([{ device: "a", timestamp: 0, gForceX: 1 }, { device: "a", timestamp: 1000, gForceX: 2 }]);
 * assert.equal(test.table(), "device  n\na       1");
 */
export function driver(tested: Tested | readonly Tested[], options: DriverOptions = {}): TestDriver {
  return new TestDriver([tested].flat() as Tested[], options);
}

interface Running {
  readonly program: Program;
  readonly runner: ProgramRunner;
  readonly readers: ReadonlyMap<string, SourceReader>;
}

/** A program that runs in memory, see {@link driver}. */
export class TestDriver {
  readonly #tested: readonly Tested[];
  readonly #ids: readonly string[];
  #sources: readonly SourceNode[];
  readonly #options: DriverOptions;
  readonly #partitions: number;
  readonly #stores = new Map<string, MemoryStore[]>();
  readonly #offsets = new Map<string, number>();
  readonly #rows = new Map<string, pl.DataFrame[]>();
  readonly #taken = new Map<string, number>();
  readonly #bad: TestBadRecord[] = [];
  #running: Running | undefined;
  #now: number;

  constructor(tested: readonly Tested[], options: DriverOptions) {
    if (tested.length === 0 || !tested.every((one) => one instanceof StreamFrame || one instanceof Sink))
      throw new Refusal({
        code: "NOTHING_TO_TEST",
        what: "driver() was given no frame or sink",
        remedies: ["driver(perSecond)", "driver([alerts, perSecond])"],
      });
    this.#tested = tested;
    this.#options = options;
    this.#partitions = options.partitions ?? 1;
    this.#now = options.now === undefined ? 0 : Number(options.now);
    this.#sources = [...new Map(sourcesOf(this.#nodes).map((source) => [source.id, source])).values()];
    let views = 0;
    this.#ids = this.#nodes.map((node) => (node.kind === "sink" ? node.id : ++views === 1 ? "view" : `view-${views}`));
  }

  /** The driver's clock, ms since the epoch. */
  get now(): number {
    return this.#now;
  }

  /**
   * Feeds records to a topic (the program's only one where none is named), in this order: objects, or a table of text. A record that cannot be
   * read is in {@link bad}, as in a job.
   */
  async feed(records: readonly TestRecord[] | string): Promise<void>;
  async feed(topic: string, records: readonly TestRecord[] | string): Promise<void>;
  async feed(first: string | readonly TestRecord[], second?: readonly TestRecord[] | string): Promise<void> {
    const [topic, given] = second === undefined ? [this.#onlyTopic(), first] : [first as string, second];
    const records = typeof given === "string" ? parseTable(given) : given;
    const sources = this.#sources.filter((source) => reads(source, topic));
    if (sources.length === 0)
      throw new Refusal({
        code: "UNKNOWN_TOPIC",
        what: `the program reads no topic "${topic}"`,
        where: "feed",
        remedies: [`it reads ${this.#sources.map(describeSource).join("; ")}`],
      });
    const { runner, readers } = this.#start(topic, records);
    const placed = placeRecords(sources[0]!, records, this.#partitions, this.#now);
    const all = this.#sources.filter((source) => reads(source, topic)); // a terminal may have got sources of its own
    for (const [partition, own] of placed) {
      const name = `${topic}/${partition}`;
      const columns = recordColumns(own, this.#offsets.get(name) ?? 0);
      this.#offsets.set(name, (this.#offsets.get(name) ?? 0) + own.length);
      for (const { id } of all) {
        const { frame, bad } = readers.get(id)!.read({ topic, partition, columns });
        this.#bad.push(...bad.map(({ offset, reason }) => ({ topic, partition, offset, reason })));
        this.#take(await runner.feed(id, topic, partition, frame));
      }
    }
  }

  /** Moves the clock on (`"5s"`, or ms): what is due by it is done. */
  async advance(by: string | number): Promise<void> {
    this.#now += typeof by === "string" ? parseDuration(by, "advance") : by;
    if (this.#running !== undefined) this.#take(await this.#running.runner.advance(this.#now));
  }

  /** Says that nothing more comes: what waited for records of other topics goes on. Windows that are open stay open. */
  async end(): Promise<void> {
    if (this.#running !== undefined) this.#take(await this.#running.runner.end());
  }

  /** All rows so far, metadata included. @param tested one of those under test; the first where none is named */
  rows(tested: Tested = this.#tested[0]!): pl.DataFrame {
    const id = this.#idOf(tested);
    const schema = this.#running?.program.terminals.find((terminal) => terminal.id === id)?.schema;
    const parts = this.#rows.get(id) ?? [];
    if (parts.length > 0) return pl.concat(parts);
    return schema === undefined ? pl.DataFrame({}) : emptyFrame(schema);
  }

  /** The rows since the last call, as a table of text. */
  take(tested: Tested = this.#tested[0]!): string {
    const rows = this.rows(tested);
    const id = this.#idOf(tested);
    const start = this.#taken.get(id) ?? 0;
    this.#taken.set(id, rows.height);
    return tableText(rows.slice(start, rows.height - start));
  }

  /** All rows so far as a table of text. @param columns those to show; all but metadata where none are named */
  table(tested: Tested = this.#tested[0]!, columns?: readonly string[]): string {
    return tableText(this.rows(tested), columns);
  }

  /** The rows of windows that are still open, as they would be now. */
  async openRows(tested: Tested = this.#tested[0]!): Promise<pl.DataFrame> {
    const id = this.#idOf(tested);
    const { rows = [] } = (await this.#running?.runner.openRows()) ?? {};
    const own = rows.filter(({ terminal }) => terminal === id).map(({ frame }) => frame);
    return own.length === 0 ? this.rows(tested).head(0) : pl.concat(own);
  }

  /** Records and rows that could not be worked on. */
  get bad(): readonly TestBadRecord[] {
    return this.#bad;
  }

  /** The names of the stores of state that the program keeps. */
  get stores(): readonly string[] {
    return this.#running?.program.stores.map(({ name }) => name) ?? [];
  }

  /** The rows of a store, of all partitions. */
  async state(name: string): Promise<pl.DataFrame> {
    const stores = this.#stores.get(name);
    if (stores === undefined)
      throw new Refusal({
        code: "UNKNOWN_STATE",
        what: `the program keeps no state "${name}"`,
        where: "state",
        remedies: [`one of: ${this.stores.join(", ") || "none before the first record"}`],
      });
    return pl.concat(await Promise.all(stores.map((store) => store.all())));
  }

  get #nodes(): PlanNode[] {
    return this.#tested.map(({ node }) => node);
  }

  #idOf(tested: Tested): string {
    const place = this.#tested.findIndex((one) => one === tested || one.node === tested.node);
    if (place >= 0) return this.#ids[place]!;
    throw new Refusal({
      code: "NOT_UNDER_TEST",
      what: "this frame or sink was not given to driver()",
      remedies: ["driver([first, second])"],
    });
  }

  #onlyTopic(): string {
    const topics = new Set(this.#sources.flatMap(({ topics }) => topics));
    const [topic] = topics;
    if (topics.size === 1 && topic !== undefined) return topic;
    throw new Refusal({
      code: "NO_TOPIC",
      what: "feed() was not told to which topic",
      remedies: [
        `feed("${topic ?? "topic"}", records)`,
        `the program reads ${this.#sources.map(describeSource).join("; ")}`,
      ],
    });
  }

  /** Compiles when the first records come, since their schema may be inferred from them. */
  #start(topic: string, records: readonly TestRecord[]): Running {
    if (this.#running !== undefined) return this.#running;
    const wire = new Map(this.#sources.map((source) => [source.id, this.#schemaOf(source, topic, records)]));
    const schemas = new Map(this.#sources.map((source) => [source.id, rowsSchema(source, wire.get(source.id)!)]));
    const own = inOwnOrders(this.#nodes, schemas);
    const program = compile(own.terminals, own.schemas);
    this.#sources = program.sources.map(({ node }) => node);
    const topics = new Map(
      this.#sources.map((source) => [
        source.id,
        new Map((source.pattern === undefined ? source.topics : [topic]).map((name) => [name, this.#partitions])),
      ]),
    );
    const runner = new ProgramRunner(program, {
      topics,
      now: () => this.#now,
      openStore: (_, spec) => {
        const store = new MemoryStore(spec);
        this.#stores.set(spec.name, [...(this.#stores.get(spec.name) ?? []), store]);
        return store;
      },
    });
    const readers = new Map(
      program.sources.map((source) => [source.id, new SourceReader(source, wire.get(sharedId(source.id))!)]),
    );
    this.#running = { program, runner, readers };
    return this.#running;
  }

  #schemaOf(source: SourceNode, topic: string, records: readonly TestRecord[]): Schema {
    const named = source.topics.map((name) => this.#options.schemas?.[name]).find((schema) => schema !== undefined);
    const given = source.schema ?? named ?? (source.pattern === undefined ? undefined : this.#options.schemas?.[topic]);
    if (given !== undefined) return given;
    if (reads(source, topic)) {
      const placed = [...placeRecords(source, records, this.#partitions, this.#now).values()].flat();
      return formatOf(source.format).inferSchema([recordColumns(placed, 0)]);
    }
    throw new Refusal({
      code: "NO_SCHEMA",
      what: `the schema of ${describeSource(source)} is not known, and none of its records was fed first`,
      where: "feed",
      remedies: [
        `topic("${source.topics[0] ?? source.pattern}", { schema: { … } })`,
        `driver(…, { schemas: { "${source.topics[0] ?? topic}": { … } } })`,
      ],
    });
  }

  #take({ rows, bad }: RunnerResult): void {
    for (const { terminal, frame } of rows) {
      const known = this.#rows.get(terminal) ?? [];
      known.push(frame);
      this.#rows.set(terminal, known);
    }
    for (const { source, partition, offset, reason } of bad) {
      const node = this.#sources.find(({ id }) => id === source);
      this.#bad.push({ topic: node?.topics[0] ?? node?.pattern ?? source, partition, offset, reason });
    }
  }
}

function reads(source: SourceNode, topic: string): boolean {
  return source.pattern === undefined ? source.topics.includes(topic) : new RegExp(source.pattern).test(topic);
}
