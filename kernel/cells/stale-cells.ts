import type { CellRun } from "./cell-run.ts";

interface Built {
  readonly run: CellRun;
  readonly declares: readonly string[];
  /** Name used -> the run that defined it then. */
  readonly uses: ReadonlyMap<string, CellRun>;
  told: boolean;
}

/**
 * Tells a cell that what it was built on has changed: another cell was run again and defines anew a name that this one used, itself or by way of cells
 * between them. A name that a different cell takes over is no such case: from top to bottom the notebook still gives what it shows.
 */
export class StaleCells {
  readonly #definedBy = new Map<string, CellRun>();
  readonly #built = new Map<CellRun, Built>();

  /**
   * Notes what a cell used and declares; called when it has run.
   *
   * @param name of the execution, as errors show it (`cell 3`)
   */
  ran(run: CellRun, name: string, { declares, uses }: { declares: readonly string[]; uses: readonly string[] }): void {
    const used = new Map<string, CellRun>();
    for (const each of uses) {
      const definer = this.#definedBy.get(each);
      if (definer !== undefined && definer.id !== run.id) used.set(each, definer);
    }
    for (const each of this.#built.keys()) if (each.id === run.id) this.#built.delete(each);
    const before = [...this.#definedBy].filter(([each, { id }]) => id === run.id && declares.includes(each));
    for (const each of declares) this.#definedBy.set(each, run);
    this.#built.set(run, { run, declares, uses: used, told: false });
    for (const [each, definer] of before) this.#tell(each, definer, each, name, new Set());
  }

  /** A deleted cell is told nothing. */
  forget(run: CellRun): void {
    this.#built.delete(run);
  }

  /** Tells those who used what a run declared, and in turn those who used what they declare. */
  #tell(declared: string, definer: CellRun, redefined: string, by: string, seen: Set<Built>): void {
    for (const built of this.#built.values()) {
      if (built.uses.get(declared) !== definer || seen.has(built)) continue;
      seen.add(built);
      if (!built.told) {
        built.told = true;
        const through = declared === redefined ? "" : `, which ${declared} was made of,`;
        built.run.write("stderr", `stale: ${redefined}${through} was defined anew by ${by}; run this cell again\n`);
      }
      for (const each of built.declares) this.#tell(each, built.run, redefined, by, seen);
    }
  }
}
