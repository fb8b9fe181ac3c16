import type pl from "nodejs-polars";
import { isMetadata } from "../plan/metadata.ts";
import { type Cells, readCells } from "./row-cells.ts";

/**
 * One object through which code sees the rows of a batch, one after the other: a property per column, read from the column when it is asked
 * for. Columns that are not asked for are never read. Metadata (`_key`, `_time`, …) is there by name, and left out of `{ ...row }`.
 */
export class RowView {
  /** The object that code is given. What it reads from it is of the row at {@link at}. */
  readonly row: Readonly<Record<string, unknown>>;
  /** The place of the row in the batch. */
  at = 0;
  #frame: pl.DataFrame | undefined;
  readonly #cells: (Cells | undefined)[];
  readonly #names: readonly string[];

  constructor(columns: readonly string[]) {
    this.#names = columns;
    this.#cells = new Array(columns.length).fill(undefined);
    const row = {};
    const cells = this.#cells;
    for (const [i, name] of columns.entries())
      Object.defineProperty(row, name, {
        enumerable: !isMetadata(name),
        configurable: false,
        get: getter(this, cells, i, (at) => this.#load(at)),
      });
    this.row = Object.preventExtensions(row);
  }

  /** Goes on to another batch, at its first row. */
  take(frame: pl.DataFrame): void {
    this.#frame = frame;
    this.at = 0;
    this.#cells.fill(undefined);
  }

  #load(i: number): Cells {
    const name = this.#names[i]!;
    // metadata such as _headers is there only where it is needed
    const cells = this.#frame!.columns.includes(name) ? readCells(this.#frame!, name) : () => undefined;
    this.#cells[i] = cells;
    return cells;
  }
}

/**
 * Reads one column. Written out for each, so that it has a place of its own in the engine's caches: one function for all would meet the cells of every
 * dtype in one call, which takes half as long again.
 */
function getter(view: RowView, cells: readonly (Cells | undefined)[], i: number, load: (i: number) => Cells) {
  const body = `return () => (cells[${i}] ?? load(${i}))(view.at);`;
  return new Function("view", "cells", "load", body)(view, cells, load) as () => unknown;
}
