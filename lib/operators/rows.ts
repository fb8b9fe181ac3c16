import type pl from "nodejs-polars";
import { computable } from "./computable-rows.ts";
import type { BatchContext } from "./operator.ts";

type Query = (rows: pl.LazyDataFrame) => pl.LazyDataFrame;

/** Rows between operators: a frame, or queries over one that are run together when their rows are needed, and once. */
export class Rows {
  #frame: pl.DataFrame;
  #queries: readonly Query[] = [];
  #lazy: pl.LazyDataFrame | undefined;
  #bad: BatchContext["bad"] = () => {};

  constructor(frame: pl.DataFrame) {
    this.#frame = frame;
  }

  /** These rows after one more query, which works on each by itself. @param bad takes those that it cannot be computed of */
  after(query: Query, bad: BatchContext["bad"]): Rows {
    const rows = new Rows(this.#frame);
    rows.#queries = [...this.#queries, query];
    rows.#lazy = query(this.#lazy ?? this.#frame.lazy());
    rows.#bad = bad;
    return rows;
  }

  /** @throws MillraceError `EXPRESSION_FAILED` */
  frame(): pl.DataFrame {
    const lazy = this.#lazy;
    if (lazy === undefined) return this.#frame;
    const queries = this.#queries;
    const compute = (rows: pl.DataFrame): pl.DataFrame =>
      rows === this.#frame
        ? lazy.collectSync()
        : queries.reduce((made, query) => query(made), rows.lazy()).collectSync();
    this.#frame = computable(this.#frame, compute, this.#bad).made;
    this.#lazy = undefined;
    this.#queries = [];
    return this.#frame;
  }
}
