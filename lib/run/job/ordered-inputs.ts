import pl from "nodejs-polars";
import { committedOffsets, type FetchedPartition } from "../../log/index.ts";
import type { BadRow, TaskOutput, TaskResult } from "../../operators/task.ts";
import { AlignedTask } from "../align/aligned-task.ts";
import { placeRows } from "../align/place-rows.ts";
import { type BadRecord, badRecordAt, indexOfOffset, oncePerRecord, type SourceBatch } from "../source/index.ts";
import type { PartitionTask } from "./partition-task.ts";
import { PLACED_STORE, type PlacedPosition, readPlaced, writePlaced } from "./placed-store.ts";
import { READ_STORE, type ReadPosition, readPositions, writePositions } from "./read-store.ts";
import { offsetsText, receivedRecord, sentRecords } from "./repartition-records.ts";
import type { WorkerContext } from "./worker.ts";

/** Records of a topic that were read: how far, and those that are still needed. */
interface Reading {
  readonly source: string;
  readonly topic: string;
  /** The next offset to be read. */
  next: number;
  /** Records before it were worked on before the task was opened, while another source of the topic was behind. */
  readonly done: number;
  readonly bad: BadRecord[];
  /** Fetched records that rows are still held of, by their number. */
  readonly kept: Map<number, { readonly fetched: FetchedPartition; readonly offsets: Float64Array }>;
  /** When something came last, ms. */
  last: number;
}

/** topic -> partition -> where reading ends */
type Ends = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Rows of sinks and bad records that may be written now. */
export interface Ready {
  readonly rows: readonly TaskOutput[];
  readonly bad: readonly BadRecord[];
}

/** A topic is waited for so long that others are to be read in order with, where the job has no end, ms. */
const PATIENCE = 1000;

/**
 * The inputs of a task that have to be read in one order: several topics, and rows that tasks sent each other.
 * Rows that wait are not state: the offsets that are committed are those of what was worked on, and what waited is read again.
 */
export class OrderedInputs {
  readonly #context: WorkerContext;
  readonly #task: PartitionTask;
  readonly #aligned: AlignedTask;
  readonly #readings: readonly Reading[];
  readonly #ends: Ends | undefined;
  /** repartition -> partition -> the end of its topic when the task was opened: whoever sent what lies before it may have gone on since. */
  readonly #sentBefore = new Map<string, ReadonlyMap<number, number>>();
  /** Where senders were when the task was opened: what they sent before is skipped. */
  readonly #before: Map<string, PlacedPosition>;
  /** repartition -> how far this task has said to have come; NaN: nothing. */
  readonly #told = new Map<string, { reached: number; over: string | undefined }>();
  /** Of each sender that nobody has to wait for: the offsets of its sources when it said so. */
  readonly #overAt = new Map<string, string>();
  readonly #received = new Map<string, number>();
  readonly #senders = new Map<string, PlacedPosition>();
  #number = 0;

  private constructor(
    context: WorkerContext,
    task: PartitionTask,
    before: readonly PlacedPosition[],
    read: readonly ReadPosition[],
    ends: Ends | undefined,
  ) {
    this.#context = context;
    this.#task = task;
    this.#ends = ends;
    const { plan, topics } = context;
    const all = Array.from({ length: topics.partitions }, (_, sender) => sender);
    this.#aligned = new AlignedTask(
      plan.program,
      task.task,
      new Map<string, readonly (string | number)[]>([
        ...topics.bySource,
        ...[...topics.repartitions.keys()].map((id) => [id, all] as const),
      ]),
    );
    this.#readings = [...topics.bySource].flatMap(([source, names]) =>
      names.map((topic) => ({
        source,
        topic,
        next: task.offsets.get(topic) ?? 0,
        done: read.find((one) => one.source === source && one.topic === topic)?.offset ?? 0,
        bad: [],
        kept: new Map(),
        last: Date.now(),
      })),
    );
    this.#before = new Map(before.map((position) => [`${position.input}/${position.sender}`, position]));
    for (const [id, topic] of topics.repartitions) this.#received.set(id, task.offsets.get(topic) ?? 0);
  }

  /** @param ends where reading ends; undefined where it goes on */
  static async open(context: WorkerContext, task: PartitionTask, ends: Ends | undefined): Promise<OrderedInputs> {
    const { plan, topics } = context;
    const keeps = topics.repartitions.size > 0 && plan.stores.includes(PLACED_STORE);
    const inputs = new OrderedInputs(
      context,
      task,
      keeps ? await readPlaced(task.stores.get(PLACED_STORE.name)) : [],
      plan.stores.includes(READ_STORE) ? await readPositions(task.stores.get(READ_STORE.name)) : [],
      ends,
    );
    for (const [id, topic] of topics.repartitions)
      inputs.#sentBefore.set(id, await context.cluster.listOffsets(topic, "latest"));
    const before = [...inputs.#before.values()];
    const committed = before.some(({ over }) => over !== undefined) ? await committedBySender(context) : undefined;
    for (const { input, sender, reached, over } of before) {
      const holds = over !== undefined && inputs.#stillOver(input, sender, over, committed!);
      if (holds) inputs.#overAt.set(`${input}/${sender}`, over);
      await inputs.#aligned.receive(input, sender, undefined, reached, holds);
    }
    return inputs;
  }

  /**
   * Whether a sender that was over still is. Where it has gone on since, what it sent then says how far, and comes after what was worked on here;
   * where more is there than when it said so, it will go on, and has to be waited for.
   * @param committed by sender, asked for after its mark was read: what it had committed with it is in there
   */
  #stillOver(
    input: string,
    sender: number,
    over: string,
    committed: ReadonlyMap<number, ReadonlyMap<string, number>>,
  ): boolean {
    const own = committed.get(sender)!;
    if (over !== offsetsText(own)) return false;
    if (this.#ends !== undefined)
      return [...own].every(([topic, offset]) => offset >= (this.#ends!.get(topic)?.get(sender) ?? 0));
    const { inputs, program } = this.#context.plan;
    const behind = (id: string): readonly string[] =>
      program.repartitions.find((repartition) => repartition.id === id)?.from.flatMap(behind) ?? [id];
    return behind(input).every((id) => inputs.find(({ source }) => source.id === id)?.source.idle !== undefined);
  }

  /** Works on records of a source topic, or of a repartition. */
  async take(fetched: FetchedPartition): Promise<Ready> {
    for (const [id, topic] of this.#context.topics.repartitions)
      if (topic === fetched.topic) return await this.#receive(id, fetched);
    const ready: Ready[] = [];
    const reads = this.#readings
      .filter(({ topic }) => topic === fetched.topic)
      .map((reading) => {
        const { reader } = this.#context.plan.inputs.find(({ source }) => source.id === reading.source)!;
        return { reading, reader, batch: reader.read(fetched) };
      });
    // what one source has worked on before has its dead letters; another source of the topic may find the same records bad
    for (const { reading, batch } of reads)
      for (const { offset } of batch.bad) if (offset < reading.done) this.#lettersOf(reading.topic).add(offset);
    for (const { reading, reader, batch } of reads) {
      const { frame, bad } = unread(batch, reading.done);
      const { topic, partition } = fetched;
      const { partitions } = this.#context.topics;
      this.#context.plan.placement.check(reading.source, { topic, partition, partitions }, frame);
      reading.bad.push(...bad);
      reading.next = fetched.nextOffset;
      reading.last = Date.now();
      const number = ++this.#number;
      const offsets = Float64Array.from(frame.getColumn("_offset").toArray() as (number | bigint)[], Number);
      reading.kept.set(number, { fetched, offsets });
      const result = await this.#aligned.take(reading.source, reading.topic, frame, number);
      ready.push(await this.#ready(result));
      ready.push(await this.#ended(reading));
      this.#context.metrics.unknownFields.set({ source: reading.source }, reader.counts.unknownFields);
    }
    return together(ready);
  }

  /** What needs no further record: topics that were read to their end when the task was opened. */
  async endRead(): Promise<Ready> {
    const ready: Ready[] = [];
    for (const reading of this.#readings) ready.push(await this.#ended(reading));
    return together(ready);
  }

  /**
   * Work by the wall clock; and, when the task was just opened, what needs no further record.
   * @param isReadUp whether a topic had no more to bring at some time of the last so many ms
   */
  async advance(now: number, isReadUp?: (topic: string, waited: number) => boolean): Promise<Ready> {
    const ready = [await this.endRead()];
    const patience = this.#ends === undefined ? PATIENCE : Number.POSITIVE_INFINITY;
    ready.push(await this.#ready(await this.#aligned.advance(now, patience, isReadUp)));
    return together(ready);
  }

  /**
   * How many records of each source topic wait for others, and where reading goes on; of several sources that read it where the fewest wait, for which
   * it has to go on.
   */
  waiting(): { topic: string; waiting: number; next: number }[] {
    return [...Map.groupBy(this.#readings, ({ topic }) => topic)].map(([topic, readings]) => ({
      topic,
      waiting: Math.min(...readings.map(({ source }) => this.#aligned.waiting(source, topic))),
      next: readings[0]!.next,
    }));
  }

  /** Before a checkpoint: tells other tasks how far this one has come, and notes how far it has worked on what they sent. */
  async settle(): Promise<void> {
    for (const { id } of this.#context.plan.program.repartitions) await this.#tell(id, undefined);
    if (this.#senders.size > 0)
      await writePlaced(this.#task.stores.get(PLACED_STORE.name), [...this.#senders.values()]);
    this.#senders.clear();
    if (!this.#context.plan.stores.includes(READ_STORE)) return;
    const positions = this.#readings.map((reading) => ({
      source: reading.source,
      topic: reading.topic,
      offset: this.#offsetOf(reading),
    }));
    await writePositions(this.#task.stores.get(READ_STORE.name), positions);
  }

  /** Whether something has to be told that no record is the cause of. */
  get untold(): boolean {
    return this.#context.plan.program.repartitions.some(
      ({ id }) => this.#isOver(id) && this.#told.get(id)?.over === undefined,
    );
  }

  async #receive(id: string, fetched: FetchedPartition): Promise<Ready> {
    const { columns, nextOffset } = fetched;
    const results: Ready[] = [];
    let committed: Awaited<ReturnType<typeof committedBySender>> | undefined;
    for (let i = 0; i < columns.count; i++) {
      const offset = columns.offsets[i]!;
      const sent = receivedRecord(columns.values, columns.headers?.[i], i);
      const before = this.#before.get(`${id}/${sent.from}`);
      if (before !== undefined && offset < before.offset) continue; // worked on before the task was opened
      const skipped = before !== undefined && offset === before.offset ? before.row : 0;
      const rows = skipped === 0 ? sent.rows : sent.rows?.slice(skipped, sent.rows.height - skipped);
      this.#skipped.set(`${id}/${sent.from}/${offset}`, skipped);
      const isOld = offset < (this.#sentBefore.get(id)?.get(fetched.partition) ?? 0);
      if (isOld && sent.over !== undefined) committed ??= await committedBySender(this.#context);
      const over = sent.over !== undefined && (!isOld || this.#stillOver(id, sent.from, sent.over, committed!));
      results.push(await this.#ready(await this.#aligned.receive(id, sent.from, rows, sent.reached, over, offset)));
      if (over) this.#overAt.set(`${id}/${sent.from}`, sent.over!);
    }
    this.#received.set(id, nextOffset);
    this.#notePositions(id);
    return together(results);
  }

  readonly #skipped = new Map<string, number>();

  /** Topic -> offsets of records that are dead letters already, as far as another source of the topic may come to them. */
  readonly #letters = new Map<string, Set<number>>();

  #lettersOf(topic: string): Set<number> {
    const letters = this.#letters.get(topic) ?? new Set();
    this.#letters.set(topic, letters);
    return letters;
  }

  /** A record is a dead letter once, whichever of the topic's sources comes to it first. */
  #notYetTold(found: readonly BadRecord[]): readonly BadRecord[] {
    const own = new Set(this.#readings.map(({ topic }) => topic));
    return oncePerRecord(found).filter(({ topic, partition, offset }) => {
      if (offset < 0 || partition !== this.#task.partition || !own.has(topic)) return true;
      const letters = this.#lettersOf(topic);
      if (letters.has(offset)) return false;
      letters.add(offset);
      return true;
    });
  }

  /** Where reading of this task's partition of a topic ends. */
  #endOf(topic: string): number | undefined {
    const ends = this.#ends?.get(topic);
    return ends && (ends.get(this.#task.partition) ?? 0);
  }

  /** A topic that has been read to its end is not waited for. */
  async #ended({ source, topic, next }: Reading): Promise<Ready> {
    const end = this.#endOf(topic);
    if (end === undefined || next < end) return NOTHING;
    return await this.#ready(await this.#aligned.end(source, topic));
  }

  /** Sends rows on that go to other tasks, and gives those of sinks with the bad records before them. */
  async #ready({ rows, bad }: TaskResult): Promise<Ready> {
    const { program } = this.#context.plan;
    for (const { id } of program.repartitions)
      for (const { terminal, frame } of rows) if (terminal === id) await this.#tell(id, frame);
    const found = bad.map((row) => this.#badRecord(row));
    for (const reading of this.#readings) {
      const upTo = this.#offsetOf(reading);
      while (reading.bad.length > 0 && reading.bad[0]!.offset < upTo) found.push(reading.bad.shift()!);
      for (const [number, { offsets }] of reading.kept)
        if (offsets.length === 0 || offsets.at(-1)! < upTo) reading.kept.delete(number);
    }
    const records = this.#notYetTold(found);
    for (const topic of new Set(this.#readings.map(({ topic }) => topic))) {
      const committed = Math.min(
        ...this.#readings.filter((one) => one.topic === topic).map((one) => this.#offsetOf(one)),
      );
      this.#task.offsets.set(topic, committed);
      const letters = this.#lettersOf(topic);
      for (const offset of letters) if (offset < committed) letters.delete(offset);
    }
    for (const id of this.#context.topics.repartitions.keys()) this.#notePositions(id);
    return { rows: rows.filter(({ terminal }) => !this.#context.topics.repartitions.has(terminal)), bad: records };
  }

  /** The offset of the first record of a topic that is not worked on. */
  #offsetOf({ source, topic, next, done, kept }: Reading): number {
    const held = this.#aligned.held(source, topic);
    return Math.max(done, held === undefined ? next : (kept.get(held.place)?.offsets[held.row] ?? next));
  }

  #notePositions(id: string): void {
    const topic = this.#context.topics.repartitions.get(id)!;
    const next = this.#received.get(id)!;
    let committed = next;
    for (let sender = 0; sender < this.#context.topics.partitions; sender++) {
      const held = this.#aligned.held(id, sender);
      const skipped = held === undefined ? 0 : (this.#skipped.get(`${id}/${sender}/${held.place}`) ?? 0);
      const known = this.#aligned.reached(id, sender);
      const before = this.#before.get(`${id}/${sender}`);
      // a record that was begun before the task was opened, and has not come again, is begun still
      const begun = before !== undefined && before.offset >= next ? before : { offset: next, row: 0 };
      this.#senders.set(`${id}/${sender}`, {
        input: id,
        sender,
        offset: held?.place ?? begun.offset,
        row: held === undefined ? begun.row : held.row + skipped,
        reached: held?.key ?? known.reached,
        over: held === undefined && known.over ? this.#overAt.get(`${id}/${sender}`) : undefined,
      });
      if (held !== undefined) committed = Math.min(committed, held.place);
    }
    this.#task.offsets.set(topic, committed);
    for (const name of this.#skipped.keys()) {
      const [input, , offset] = name.split("/");
      if (input === id && Number(offset) < committed) this.#skipped.delete(name);
    }
  }

  /** Sends rows of this task to those they belong to; without rows, says how far it has come, where that is news. */
  async #tell(id: string, rows: pl.DataFrame | undefined): Promise<void> {
    const { io, topics } = this.#context;
    const topic = topics.repartitions.get(id)!;
    const told = this.#told.get(id) ?? { reached: Number.NaN, over: undefined };
    const reached = this.#task.task.reached(id);
    // said again where it has read on meanwhile: see #stillOver
    const over = this.#isOver(id)
      ? offsetsText(topics.external.map((name) => [name, this.#task.offsets.get(name) ?? 0]))
      : undefined;
    if (rows !== undefined) {
      await io.begin();
      for (const [target, placed] of placeRows(rows, topics.partitions))
        await io.transactional.send(
          topic,
          target,
          sentRecords(
            { from: this.#task.partition, reached: told.reached, over: undefined, rows: placed },
            told.reached,
          ),
        );
      this.#told.set(id, { ...told, over: undefined });
      return;
    }
    const news = over !== told.over || (!Number.isNaN(reached) && !(reached <= told.reached));
    if (!news) return;
    await io.begin();
    const known = Number.isNaN(reached) ? told.reached : reached;
    for (let target = 0; target < topics.partitions; target++)
      await io.transactional.send(
        topic,
        target,
        sentRecords({ from: this.#task.partition, reached: known, over, rows: undefined }, known),
      );
    this.#told.set(id, { reached: known, over });
  }

  /** Whether nobody has to wait for what this task sends: its inputs have ended, or are idle. */
  #isOver(id: string): boolean {
    const { from } = this.#context.plan.program.repartitions.find((one) => one.id === id)!;
    return from.every((input) => {
      if (this.#context.topics.repartitions.has(input)) return this.#aligned.isOver(input);
      return this.#readings.every((reading) => reading.source !== input || this.#isQuiet(reading));
    });
  }

  #isQuiet({ source, topic, next, last }: Reading): boolean {
    if (this.#aligned.held(source, topic) !== undefined) return false;
    const end = this.#endOf(topic);
    if (end !== undefined && next >= end) return true;
    const { idle } = this.#context.plan.inputs.find((input) => input.source.id === source)!.source;
    return idle !== undefined && Date.now() - last >= idle;
  }

  #badRecord({ source, partition, offset, reason }: BadRow): BadRecord {
    for (const reading of this.#readings) {
      if (reading.source !== source || partition !== this.#task.partition) continue;
      for (const { fetched } of reading.kept.values()) {
        const index = indexOfOffset(fetched.columns.offsets, offset);
        if (index >= 0) return badRecordAt(fetched, index, reason);
      }
    }
    const topic =
      this.#context.topics.repartitions.get(source) ?? this.#context.topics.bySource.get(source)?.join(", ") ?? source;
    return { topic, partition, offset, timestamp: Date.now(), key: null, value: null, reason };
  }
}

/** Without the records before an offset. */
function unread({ frame, bad }: SourceBatch, from: number): SourceBatch {
  if (frame.height === 0 || Number(frame.getColumn("_offset").get(0)) >= from)
    return { frame, bad: bad.filter(({ offset }) => offset >= from) };
  const left = pl.col("_offset").gtEq(pl.lit(from).cast(pl.Int64));
  return { frame: frame.filter(left), bad: bad.filter(({ offset }) => offset >= from) };
}

/** The offsets that the group has committed for the sources, by partition. */
async function committedBySender({
  cluster,
  settings,
  topics,
}: WorkerContext): Promise<Map<number, Map<string, number>>> {
  const senders = Array.from({ length: topics.partitions }, (_, sender) => sender);
  const all = topics.external.flatMap((topic) => senders.map((partition) => ({ topic, partition })));
  const committed = await committedOffsets(cluster, settings.name, all, { requireStable: true });
  const offset = (topic: string, sender: number) => committed.get(topic)?.get(sender) ?? 0;
  return new Map(
    senders.map((sender) => [sender, new Map(topics.external.map((topic) => [topic, offset(topic, sender)]))]),
  );
}

const NOTHING: Ready = { rows: [], bad: [] };

function together(all: readonly Ready[]): Ready {
  return { rows: all.flatMap(({ rows }) => rows), bad: all.flatMap(({ bad }) => bad) };
}
