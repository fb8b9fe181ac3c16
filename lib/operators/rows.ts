import type pl from "nodejs-polars";
import { computable } from "./computable-rows.ts";
import { takenAs } from "./held-rows.ts";
import type { BatchContext } from "./operator.ts";
import { inlineThrough, type RowQuery, takenThrough } from "./row-query.ts";

/** Rows between operators: a frame, or queries over one that are run together when their rows are needed, and once. */
export class Rows {
  #frame: pl.DataFrame;
  #queries: readonly RowQuery[] = [];
  #bad: BatchContext["bad"] = () => {};

  constructor(frame: pl.DataFrame) {
    this.#frame = frame;
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
