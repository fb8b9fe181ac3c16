import { type FetchedPartition, sliceRecords } from "../../log/index.ts";

/** About how long the rows of one slice take, ms. */
const WANTED = 100;
/** So many records are in the first one. */
const FIRST = 500;

/**
 * Answers of brokers, in slices that each take a moment, however slow a program is: between them a read says how far it is, and is cancelled or over
 * when its time is. How they are cut changes no row (law 1).
 */
export class Slices {
  readonly #answers: FetchedPartition[] = [];
  /** Of the first of them so many records have been handed out. */
  #at = 0;
  #size = FIRST;
  /** The slice that was learnt from last. */
  #before: { readonly records: number; readonly took: number } | undefined;

  get empty(): boolean {
    return this.#answers.length === 0;
  }

  add(answers: readonly FetchedPartition[]): void {
    this.#answers.push(...answers);
  }

  /** Whether there are more records of a partition. */
  has(topic: string, partition: number): boolean {
    return this.#answers.some((answer) => answer.topic === topic && answer.partition === partition);
  }

  /** Hands the next one to `process`, and learns from how long it takes. */
  async each<T>(process: (slice: FetchedPartition) => Promise<T>): Promise<T> {
    const answer = this.#answers[0]!;
    const { columns } = answer;
    const [from, size] = [this.#at, this.#size];
    const to = columns.count - from > size * 2 ? from + size : columns.count;
    const isLast = to === columns.count;
    this.#at = isLast ? 0 : to;
    if (isLast) this.#answers.shift();
    const slice =
      isLast && from === 0
        ? answer
        : {
            ...answer,
            columns: sliceRecords(columns, from, to),
            nextOffset: isLast ? answer.nextOffset : columns.offsets[to]!,
          };
    const began = performance.now();
    const processed = await process(slice);
    const took = performance.now() - began;
    this.#learn(to - from, took);
    return processed;
  }

  /** From two slices: what one takes whatever its size, with much state, and what each record adds. Where the former is much, slices are longer. */
  #learn(records: number, took: number): void {
    if (records < this.#size) return; // an answer's last ones
    const before = this.#before;
    this.#before = { records, took };
    const mean = took / records;
    const each =
      before === undefined || before.records === records
        ? mean
        : Math.min(mean, Math.max(mean / 100, (took - before.took) / (records - before.records)));
    const fixed = took - each * records;
    const next = Math.max(WANTED - fixed, 2 * fixed) / each;
    this.#size = Math.max(1, Math.round(Math.min(records * 4, Math.max(records / 4, next))));
  }
}
