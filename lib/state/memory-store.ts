import pl from "nodejs-polars";
import { frameReplaced } from "../polars/collect-frames.ts";
import { emptyFrame } from "../schema.ts";
import { bytesPerRow } from "./state-memory.ts";
import type { KeyedStore, StoreSpec } from "./store.ts";

/** How many changes of a store lie between two looks at the size of its rows. */
const LOOKS = 64;

/** What changed in a store since it was last asked: rows now held, and keys no longer held. */
export interface Changes {
  readonly upserted: pl.DataFrame;
  /** Key columns only. */
  readonly removed: pl.DataFrame;
}

/**
 * Rows in a Polars frame. Nulls in keys equal each other, as do NaNs, and -0 equals 0.
 * With `track`, it remembers which keys changed since {@link takeChanges}.
 */
export class MemoryStore implements KeyedStore {
  readonly spec: StoreSpec;
  readonly #join: { on: string[]; nullsEqual: boolean };
  readonly #track: boolean;
  #rows: pl.DataFrame;
  #changed: pl.DataFrame[] = [];
  #rowBytes: number;
  #changes = 0;

  constructor(spec: StoreSpec, options: { track?: boolean; rows?: pl.DataFrame } = {}) {
    this.spec = spec;
    this.#join = { on: [...spec.key], nullsEqual: true };
    this.#track = options.track ?? false;
    this.#rows = options.rows ?? emptyFrame(spec.schema);
    this.#rowBytes = bytesPerRow(spec.schema, options.rows);
  }

  get size(): number {
    return this.#rows.height;
  }

  get inMemory(): pl.DataFrame {
    return this.#rows;
  }

  /** About how many bytes the rows take. */
  get bytes(): number {
    return this.#rows.height * this.#rowBytes;
  }

  async lookup(keys: pl.DataFrame): Promise<pl.DataFrame> {
    // an inner join hashes the smaller side; of a large store that is two to three times as quick as a semi join
    const found = this.#keysOf(keys).join(this.#rows, { ...this.#join, how: "inner" }) as pl.DataFrame;
    return found.select(...Object.keys(this.spec.schema));
  }

  async scan(keys: pl.DataFrame, above?: { readonly column: string; readonly bound: number }): Promise<pl.DataFrame> {
    let rows = this.#rows;
    if (rows.height === 0 || keys.height === 0) return rows.head(0);
    if (above !== undefined)
      rows = rows.filter(this.#number(above.column).gt(pl.lit(above.bound)).or(pl.col(above.column).isNull()));
    const on = this.spec.key.filter((name) => keys.columns.includes(name));
    const found = keys.select(...on).join(rows, { on, nullsEqual: true, how: "inner" }) as pl.DataFrame;
    return found.select(...Object.keys(this.spec.schema));
  }

  async upsert(rows: pl.DataFrame): Promise<void> {
    if (rows.height === 0) return;
    const keys = this.#keysOf(rows);
    const columns = Object.keys(this.spec.schema);
    if (this.#changes++ % LOOKS === 0) this.#rowBytes = bytesPerRow(this.spec.schema, rows);
    // a table of one row, such as a watermark, is written with every batch: a join and a concat for that cost more than the batch's own operators
    if (this.#rows.height === 0 || this.#isOneText(keys)) this.#hold(rows.select(...columns));
    // in one piece: texts would hold on to the batches that they come from
    else this.#hold(pl.concat([this.#without(keys), rows.select(...columns)]));
    if (this.#track) this.#changed.push(keys);
  }

  async remove(keys: pl.DataFrame): Promise<void> {
    if (keys.height === 0 || this.#rows.height === 0) return;
    const only = this.#keysOf(keys);
    this.#hold(this.#without(only));
    if (this.#track) this.#changed.push(only);
  }

  async takeUpTo(column: string, bound: number): Promise<pl.DataFrame> {
    const reached = this.#number(column).ltEq(pl.lit(bound));
    const taken = this.#rows.filter(reached);
    if (taken.height === 0) return taken;
    // a null is not up to anything: `not` of a null is null, which a filter drops
    this.#hold(this.#rows.filter(reached.not().fillNull(pl.lit(true))));
    if (this.#track) this.#changed.push(this.#keysOf(taken));
    return taken;
  }

  async min(column: string): Promise<number | undefined> {
    if (this.#rows.height === 0) return undefined;
    // by series: an expression costs more to build than this takes
    const held = this.#rows.getColumn(column);
    const perMillisecond = this.#perMillisecond(column);
    const numbers = perMillisecond === undefined ? held : held.cast(pl.Int64);
    const smallest = numbers.cast(pl.Float64).min() as number | null;
    return smallest === null ? undefined : smallest / (perMillisecond ?? 1);
  }

  async all(): Promise<pl.DataFrame> {
    return this.#rows;
  }

  /** Holds exactly these rows from now on; not a change. */
  reset(rows: pl.DataFrame): void {
    this.#hold(rows);
  }

  /** The changes since the last call (every row given at construction counts as known before). Only with `track`. */
  takeChanges(): Changes {
    const keys: pl.DataFrame =
      this.#changed.length === 0 ? emptyFrame(this.spec.schema).select(...this.spec.key) : pl.concat(this.#changed);
    this.#changed = [];
    const distinct = keys.unique();
    return {
      upserted: this.#rows.join(distinct, { ...this.#join, how: "semi" }),
      removed: distinct.join(this.#rows, { ...this.#join, how: "anti" }),
    };
  }

  #hold(rows: pl.DataFrame): void {
    frameReplaced(this.bytes);
    this.#rows = rows;
  }

  #keysOf(frame: pl.DataFrame): pl.DataFrame {
    return frame.select(...this.spec.key);
  }

  /** Whether the only row held has this key, and both are one text: that is the same without the rules for nulls and numbers. */
  #isOneText(keys: pl.DataFrame): boolean {
    if (this.#rows.height !== 1 || keys.height !== 1 || this.spec.key.length !== 1) return false;
    const [name] = this.spec.key as readonly [string];
    if (this.spec.schema[name] !== "Utf8") return false;
    const held = this.#rows.getColumn(name).get(0);
    return typeof held === "string" && held === keys.getColumn(name).get(0);
  }

  #without(keys: pl.DataFrame): pl.DataFrame {
    return this.#rows.join(keys, { ...this.#join, how: "anti" });
  }

  /** The column as a number; a datetime or duration as its milliseconds. */
  #number(column: string): pl.Expr {
    const perMillisecond = this.#perMillisecond(column);
    if (perMillisecond === undefined) return pl.col(column);
    const count = pl.col(column).cast(pl.Int64);
    return perMillisecond === 1 ? count : count.div(pl.lit(perMillisecond));
  }

  /** Of a datetime or duration; undefined for a number. */
  #perMillisecond(column: string): number | undefined {
    const unit = /^(?:Datetime|Duration)\((ms|us|ns)\)$/.exec(this.spec.schema[column] as string)?.[1];
    return unit === undefined ? undefined : { ms: 1, us: 1e3, ns: 1e6 }[unit];
  }
}
