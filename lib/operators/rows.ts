import type pl from "nodejs-polars";
import { computable } from "./computable-rows.ts";
import { takenAs } from "./held-rows.ts";
import type { BatchContext } from "./operator.ts";
import type { PackedBatch } from "./packed-batch.ts";
import { inlineThrough, type RowQuery, takenThrough } from "./row-query.ts";

/** Records that hold many rows each, as they came, and the watermark before them, ms; NaN for none. */
export interface PackedRows {
  readonly batch: PackedBatch;
  readonly before: number;
}

/** Rows between operators: a frame, or queries over one that are run together when their rows are needed, and once. */
export class Rows {
  #frame: pl.DataFrame | (() => pl.DataFrame);
  /** Where they are as they came. */
  readonly packed: PackedRows | undefined;
  #queries: readonly RowQuery[] = [];
  #bad: BatchContext["bad"] = () => {};

  /** @param frame or what makes it, when somebody wants it, where the rows are also there as they came */
  constructor(frame: pl.DataFrame | (() => pl.DataFrame), packed?: PackedRows) {
    this.#frame = frame;
    this.packed = packed;
  }

  /** These rows after one more query, which works on each by itself. @param bad takes those that it cannot be computed of */
  after(query: RowQuery, bad: BatchContext["bad"]): Rows {
    const rows = new Rows(this.#frame);
    rows.#queries = [...this.#queries, query];
    rows.#bad = bad;
    return rows;
  }

  /** @throws MillraceError `EXPRESSION_FAILED` */
  frame(): pl.DataFrame {
    const queries = this.#queries;
    if (typeof this.#frame === "function") this.#frame = this.#frame();
    if (queries.length === 0) return this.#frame;
    const taken = takenThrough(queries, this.#frame.columns);
    const made = taken === undefined ? inlineThrough(queries, this.#frame) : takenAs(this.#frame, taken.from, taken.to);
    if (made !== undefined) this.#frame = made;
    else {
      const compute = (rows: pl.DataFrame): pl.DataFrame =>
        queries.reduce((made, { query }) => query(made), rows.lazy()).collectSync();
      this.#frame = computable(this.#frame, compute, this.#bad).made;
    }
    this.#queries = [];
    return this.#frame;
  }
}
