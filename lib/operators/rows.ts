import type pl from "nodejs-polars";

/** Rows between operators: a frame, or a query over one that is run when its rows are needed, and once. */
export class Rows {
  #frame: pl.DataFrame | undefined;
  #lazy: pl.LazyDataFrame | undefined;

  constructor(rows: { frame: pl.DataFrame } | { lazy: pl.LazyDataFrame }) {
    if ("frame" in rows) this.#frame = rows.frame;
    else this.#lazy = rows.lazy;
  }

  frame(): pl.DataFrame {
    this.#frame ??= this.#lazy!.collectSync();
    return this.#frame;
  }

  lazy(): pl.LazyDataFrame {
    return this.#frame === undefined ? this.#lazy! : this.#frame.lazy();
  }
}
