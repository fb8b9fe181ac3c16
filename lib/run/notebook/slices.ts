import { type FetchedPartition, sliceRecords } from "../../log/index.ts";

/** About how long the rows of one slice take, ms. */
const WANTED = 100;
/** So many records are in the first one. */
const FIRST = 500;
/** A record that takes so many times what it took in a slice of twice the size: most of the time goes into the slice, not its records. */
const DEARER = 1.5;

/**
 * Answers of brokers, in slices that each take a moment, however slow a program is: between them a read says how far it is, and is cancelled or over
 * when its time is. How they are cut changes no row (law 1).
 */
export class Slices {
  readonly #answers: FetchedPartition[] = [];
  /** Of the first of them so many records have been handed out. */
  #at = 0;
  #size = FIRST;
  /** What a record of the last slice took, ms, where the size was halved since that was too long. */
  #before: number | undefined;

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

  #learn(records: number, took: number): void {
    if (records < this.#size) return; // an answer's last ones
    const each = took / records;
    const dearer = this.#before !== undefined && each > DEARER * this.#before;
    this.#before = undefined;
    if (dearer || took < WANTED / 2) this.#size *= 4;
    else if (took > 2 * WANTED && records > 1) {
      this.#before = each;
      this.#size = Math.round(records / 2);
    }
  }
}
