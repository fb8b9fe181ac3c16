import pl from "nodejs-polars";
import { parseDuration } from "../../plan/duration.ts";
import { mergeRows } from "./merge-rows.ts";
import type { ReadRows } from "./plan-reader.ts";

const DEFAULT_ROWS = 10_000;
/** However long the span of time that is kept. */
const MOST_ROWS = 1_000_000;

/** The latest rows, bounded: by their number, or by a span of event time. What no longer fits is dropped and counted. */
export class RecentRows {
  readonly #rows: number;
  /** Event time kept, ms. */
  readonly #span: number;
  readonly #empty: pl.DataFrame;
  #kept: ReadRows[] = [];
  #height = 0;
  #latest = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  #merged: pl.DataFrame | undefined;

  /** @throws Refusal `BAD_DURATION` */
  constructor(keep: number | string | undefined, empty: pl.DataFrame) {
    this.#rows = typeof keep === "number" ? Math.max(1, keep) : keep === undefined ? DEFAULT_ROWS : MOST_ROWS;
    this.#span = typeof keep === "string" ? parseDuration(keep, "keep") : Number.POSITIVE_INFINITY;
    this.#empty = empty;
  }

  /** Rows that are no longer kept. */
  get dropped(): number {
    return this.#dropped;
  }

  get height(): number {
    return this.#height;
  }

  add(batch: readonly ReadRows[]): void {
    for (const { task, rows } of batch) {
      const fitting = rows.height > this.#rows ? rows.tail(this.#rows) : rows;
      this.#dropped += rows.height - fitting.height;
      this.#kept.push({ task, rows: fitting });
      this.#height += fitting.height;
      this.#latest = Math.max(this.#latest, latestTime(fitting));
    }
    while (this.#kept.length > 1 && this.#height - this.#kept[0]!.rows.height >= this.#rows)
      this.#drop(this.#kept[0]!.rows.height);
    if (this.#height > this.#rows) this.#drop(this.#height - this.#rows);
    if (this.#span < Number.POSITIVE_INFINITY) this.#dropOld(this.#latest - this.#span);
    if (batch.length > 0) this.#merged = undefined;
  }

  /** Merged over partitions by event time. */
  frame(): pl.DataFrame {
    if (this.#merged === undefined) {
      const byTask = Map.groupBy(this.#kept, ({ task }) => task);
      const inOrder = [...byTask].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
      this.#merged = mergeRows(
        inOrder.map(([, parts]) => parts.map(({ rows }) => rows)),
        this.#empty,
      );
    }
    return this.#merged;
  }

  #drop(count: number): void {
    const first = this.#kept[0]!;
    this.#dropped += count;
    this.#height -= count;
    if (count === first.rows.height) this.#kept.shift();
    else this.#kept[0] = { task: first.task, rows: first.rows.tail(first.rows.height - count) };
  }

  #dropOld(bound: number): void {
    const recent = pl.col("_time").cast(pl.Int64).gtEq(pl.lit(bound));
    this.#kept = this.#kept.flatMap(({ task, rows }) => {
      const kept = rows.columns.includes("_time") ? rows.filter(recent) : rows;
      this.#dropped += rows.height - kept.height;
      this.#height -= rows.height - kept.height;
      return kept.height === 0 ? [] : [{ task, rows: kept }];
    });
  }
}

function latestTime(rows: pl.DataFrame): number {
  if (!rows.columns.includes("_time") || rows.height === 0) return Number.NEGATIVE_INFINITY;
  const latest = rows.select(pl.col("_time").cast(pl.Int64).max().cast(pl.Float64).alias("latest")).getColumn("latest");
  return latest.get(0) ?? Number.NEGATIVE_INFINITY;
}
