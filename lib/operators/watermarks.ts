import pl from "nodejs-polars";
import type { KeyedStore, StoreSpec } from "../state/store.ts";

export const WATERMARK_STORE: StoreSpec = {
  name: "watermark",
  key: ["source"],
  schema: { source: "Utf8", watermark: "Int64" },
};

const BEFORE = pl.col("_time").cast(pl.Int64).cumMax().forwardFill().shift(1).alias("_watermark");
const OWN = pl.col("_watermark");

/** How far event time has come in each input of a task, in ms since the epoch. Never goes back; kept with the state. */
export class Watermarks {
  readonly #store: KeyedStore;
  readonly #values: Map<string, number>;

  private constructor(store: KeyedStore, values: Map<string, number>) {
    this.#store = store;
    this.#values = values;
  }

  static async open(store: KeyedStore): Promise<Watermarks> {
    const held = await store.all();
    return new Watermarks(
      store,
      new Map(held.rows().map(([input, watermark]) => [input as string, Number(watermark)])),
    );
  }

  /** NaN before the first row. */
  of(input: string): number {
    return this.#values.get(input) ?? Number.NaN;
  }

  /** Moves an input's watermark on; what is not beyond it (or no time at all) changes nothing. */
  async advance(input: string, to: number): Promise<number> {
    const before = this.of(input);
    if (!Number.isFinite(to) || to <= before) return before;
    this.#values.set(input, to);
    await this.#store.upsert(
      pl.DataFrame([pl.Series("source", [input], pl.Utf8), pl.Series("watermark", Float64Array.of(to)).cast(pl.Int64)]),
    );
    return to;
  }
}

/**
 * The batch with `_watermark`: for every row the watermark in ms just before it, null before the first.
 * @param before the watermark before the batch
 */
export function withWatermark(batch: pl.DataFrame, before: number): pl.DataFrame {
  const largest = batch.withColumns(BEFORE);
  return Number.isNaN(before) ? largest : largest.withColumns(pl.maxHorizontal([OWN, pl.lit(before).cast(pl.Int64)]));
}
