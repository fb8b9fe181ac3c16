import pl from "nodejs-polars";
import type { KeyedStore, StoreSpec } from "../state/store.ts";

export const WATERMARK_STORE: StoreSpec = {
  name: "watermark",
  key: ["source"],
  schema: { source: "Utf8", watermark: "Int64" },
};

const LARGEST = pl.col("_time").cast(pl.Int64).max().cast(pl.Float64);
const BEFORE = pl.col("_time").cast(pl.Int64).cumMax().forwardFill().shift(1).alias("_watermark");
const OWN = pl.col("_watermark");

/** The largest event time of each source of a task, over every valid record and before any filter. Kept with the state. */
export class Watermarks {
  readonly #store: KeyedStore;
  readonly #values: Map<string, number>;

  private constructor(store: KeyedStore, values: Map<string, number>) {
    this.#store = store;
    this.#values = values;
  }

  static async open(store: KeyedStore, sources: readonly string[]): Promise<Watermarks> {
    const held = await store.all();
    const values = new Map(held.rows().map(([source, watermark]) => [source as string, Number(watermark)]));
    return new Watermarks(store, new Map(sources.map((source) => [source, values.get(source) ?? Number.NaN])));
  }

  /** In ms since the epoch; NaN before the first row. */
  of(source: string): number {
    return this.#values.get(source)!;
  }

  /** The smallest over the sources. */
  get smallest(): number {
    return Math.min(...this.#values.values());
  }

  /** Moves a source's watermark over a batch. */
  async advance(source: string, batch: pl.DataFrame): Promise<number> {
    const before = this.of(source);
    const largest = batch.height === 0 ? null : batch.select(LARGEST).getColumn("_time").get(0);
    if (largest === null || largest <= before) return before;
    this.#values.set(source, largest);
    await this.#store.upsert(
      pl.DataFrame({ source: [source], watermark: [largest] }).withColumns(pl.col("watermark").cast(pl.Int64)),
    );
    return largest;
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
