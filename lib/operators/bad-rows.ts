import pl from "nodejs-polars";
import type { Compiled } from "./compile.ts";
import type { ProgramInput } from "./program.ts";
import type { Rows } from "./rows.ts";
import type { BadRow } from "./task.ts";

const PLACE = ["_partition", "_offset"];

/** Collects the rows that operators could not work on, in one call of a task. */
export class BadRows {
  readonly rows: BadRow[] = [];
  readonly #inputs: ReadonlyMap<string, Rows>;
  readonly #seen = new Set<string>();

  /** @param rows the inputs' rows by the keys of their nodes */
  constructor(rows: ReadonlyMap<string, Rows>, inputs: readonly ProgramInput[]) {
    this.#inputs = new Map(inputs.filter(({ key }) => rows.has(key)).map(({ id, key }) => [id, rows.get(key)!]));
  }

  /** A record counts once, however many nodes and rows of it fail. */
  add({ sources }: Compiled, frame: pl.DataFrame, reason: string): void {
    for (const [partition, offset] of frame.select(...PLACE).rows() as [number, number | bigint][]) {
      const source = sources.length === 1 ? sources[0]!.id : this.#sourceOf(sources, partition, Number(offset));
      const name = `${source} ${partition} ${offset}`;
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      this.rows.push({ source, partition, offset: Number(offset), reason });
    }
  }

  /** Where inputs met: the first of them that has brought such a row in this call. */
  #sourceOf(sources: Compiled["sources"], partition: number, offset: number): string {
    const at = pl
      .col("_partition")
      .eq(pl.lit(partition))
      .and(pl.col("_offset").eq(pl.lit(offset)));
    return (sources.find(({ id }) => (this.#inputs.get(id)?.frame().filter(at).height ?? 0) > 0) ?? sources[0]!).id;
  }
}
