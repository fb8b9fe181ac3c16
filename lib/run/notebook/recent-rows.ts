import pl from "nodejs-polars";
import { parseDuration } from "../../plan/duration.ts";
import type { ReadRows } from "./plan-reader.ts";
import { RowOrder, sorted, withoutPlaces } from "./row-order.ts";

const DEFAULT_ROWS = 10_000;
/** However long the span of time that is kept. */
const MOST_ROWS = 1_000_000;

/** So many parts are put together rather than looked at one by one. */
const MANY_PARTS = 24;

/**
 * The latest rows by event time, bounded: by their number, or by a span of event time. What no longer fits is dropped and counted. Memory
 * holds at most twice what is kept, and the batch being added.
 */
export class RecentRows {
  readonly #most: number;
  /** Event time kept, ms. */
  readonly #span: number;
  readonly #empty: pl.DataFrame;
  readonly #order: RowOrder;
  #placed: pl.DataFrame[] = [];
  #held = 0;
  #seen = 0;
  /** Rows were added since the frame was made. */
  #stale = false;
  #frame: pl.DataFrame;

  /** @throws Refusal `BAD_DURATION` */
  constructor(keep: number | string | undefined, empty: pl.DataFrame, tasks: readonly string[]) {
    this.#most = typeof keep === "number" ? Math.max(1, keep) : keep === undefined ? DEFAULT_ROWS : MOST_ROWS;
    this.#span = typeof keep === "string" ? parseDuration(keep, "keep") : Number.POSITIVE_INFINITY;
    this.#empty = empty;
    this.#frame = empty;
    this.#order = new RowOrder(tasks);
  }

  /** Rows that are no longer kept. */
  get dropped(): number {
    return this.#seen - this.height;
  }

  get height(): number {
    // without putting all in order, where that can be told: a status is looked at often
    if (this.#stale && this.#span === Number.POSITIVE_INFINITY) return Math.min(this.#held, this.#most);
    return this.frame().height;
  }

  get columns(): readonly string[] {
    return this.#empty.columns;
  }

  add(batch: readonly ReadRows[]): void {
    for (const { task, rows } of batch) {
      // rows of one task are in their order already: of a large batch only the last can be among the latest
      const placed = this.#order.placed(task, rows).tail(this.#most);
      this.#placed.push(placed);
      this.#held += placed.height;
      this.#seen += rows.height;
    }
    if (batch.length > 0) this.#stale = true;
    if (this.#held > 2 * this.#most) this.#trim();
  }

  /** What is kept, in the order of event time over all partitions. */
  frame(): pl.DataFrame {
    if (this.#stale) this.#trim();
    return this.#frame;
  }

  /** The last of {@link frame}: so many rows, without putting the others in order where that is not needed. */
  latest(count: number): pl.DataFrame {
    if (!this.#stale || this.#span < Number.POSITIVE_INFINITY || this.#placed.length > MANY_PARTS)
      return this.frame().tail(count);
    // each part is in order, so what is last of all is among the last of each
    const wanted = Math.min(count, this.#most);
    const last = sorted(this.#placed.map((part) => part.tail(wanted))).tail(wanted);
    return last.height === 0 ? this.#empty : withoutPlaces(last);
  }

  #trim(): void {
    let rows = sorted(this.#placed).tail(this.#most);
    if (this.#span < Number.POSITIVE_INFINITY && rows.columns.includes("_time")) {
      const time = pl.col("_time").cast(pl.Int64);
      rows = rows.filter(time.gtEq(time.max().minus(pl.lit(this.#span))));
    }
    this.#placed = [rows];
    this.#held = rows.height;
    this.#frame = rows.height === 0 ? this.#empty : withoutPlaces(rows);
    this.#stale = false;
  }
}
