import pl from "nodejs-polars";

interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
  readonly end: number;
}

/** A partition that has been quiet for so long, with nothing left to read, is called idle, ms. */
const IDLE = 5000;

/** Since when each partition has been quiet. */
export class PartitionClocks {
  readonly #moved = new Map<string, { next: number; at: number }>();

  note(positions: readonly Position[]): void {
    for (const { topic, partition, next } of positions) {
      const name = `${topic}/${partition}`;
      const before = this.#moved.get(name);
      if (before === undefined) this.#moved.set(name, { next, at: performance.now() });
      else if (before.next !== next) Object.assign(before, { next, at: performance.now() });
    }
  }

  /** A row per partition. An idle one holds back what waits for its event time: windows over rows that were placed anew, joins. */
  table(positions: readonly Position[], watermark: (topic: string, partition: number) => number): pl.DataFrame {
    const quiet = positions.map(({ topic, partition }) => {
      const at = this.#moved.get(`${topic}/${partition}`)?.at;
      return at === undefined ? null : Math.round(performance.now() - at);
    });
    const watermarks = positions.map(({ topic, partition }) => {
      const ms = watermark(topic, partition);
      return Number.isNaN(ms) ? null : ms;
    });
    const lag = positions.map(({ next, end }) => Math.max(0, end - next));
    const of = <T>(pick: (one: Position) => T) => positions.map(pick);
    return pl
      .DataFrame([
        pl.Series(
          "topic",
          of(({ topic }) => topic),
          pl.Utf8,
        ),
        pl.Series(
          "partition",
          of(({ partition }) => partition),
          pl.Int32,
        ),
        pl.Series(
          "offset",
          of(({ next }) => next),
          pl.Int64,
        ),
        pl.Series(
          "end",
          of(({ end }) => end),
          pl.Int64,
        ),
        pl.Series("lag", lag, pl.Int64),
        pl.Series("watermark", watermarks as number[], pl.Int64),
        pl.Series("quiet_ms", quiet as number[], pl.Int64),
        pl.Series(
          "idle",
          quiet.map((ms, i) => ms !== null && ms >= IDLE && lag[i] === 0),
          pl.Bool,
        ),
      ])
      .withColumns(pl.col("watermark").cast(pl.Datetime("ms")).alias("watermark"));
  }
}
