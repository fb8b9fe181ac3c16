import pl from "nodejs-polars";
import { stacked } from "../../polars/stacked.ts";

/** Rows that wait, of one channel: where the first of them is, and what they are merged by. */
interface Waiting {
  readonly frame: pl.DataFrame;
  /** Ascending, one per row. */
  readonly keys: Float64Array;
  /** Rows released so far. */
  at: number;
  /** Given with {@link Aligner.push}. */
  readonly place: number;
}

interface Channel {
  readonly name: string;
  readonly input: string;
  readonly index: number;
  readonly waiting: Waiting[];
  /** No row of a smaller key will come any more. */
  reached: number;
  /** Nothing will come any more, or nobody waits for it any longer. */
  over: boolean;
}

/** Where the first waiting row of a channel is: the `place` it was pushed with, and how many rows of that push are released. */
export interface Place {
  readonly place: number;
  readonly row: number;
  readonly key: number;
}

/** What may be worked on now. */
export interface Released {
  /** Input -> its rows, those of several channels merged; only inputs that have any. */
  readonly batches: ReadonlyMap<string, pl.DataFrame>;
  /** How far all channels have come in event time, ms: nothing of a smaller key is still to come. NaN while that is not known. */
  readonly reached: number;
}

/**
 * Reads several channels (partitions of topics, senders of a repartition) as one: holds rows back until no other channel can bring
 * a row that belongs before them. The order is that of their keys (ascending in each channel), then of the channels. It depends neither
 * on how rows fall into batches nor on which channel is quicker, as long as no channel is given up while it still has rows.
 *
 * Rows stay in frames: what is released is cut off by a binary search in the keys.
 */
export class Aligner {
  readonly #channels: readonly Channel[];

  /** @param channels in the order that decides between equal keys; `reached` where it is known that no smaller key comes */
  constructor(channels: readonly { readonly name: string; readonly input: string; readonly reached?: number }[]) {
    this.#channels = channels.map(({ name, input, reached = Number.NaN }, index) => ({
      name,
      input,
      index,
      waiting: [],
      reached: Number.isNaN(reached) ? Number.NEGATIVE_INFINITY : reached,
      over: false,
    }));
  }

  /**
   * @param keys ascending, one per row, none below what the channel had reached
   * @param reached no row of a smaller key follows on this channel, as far as that is known beyond the rows
   * @param place whatever tells the caller where these rows came from, for {@link held}
   */
  push(name: string, frame: pl.DataFrame, keys: Float64Array, reached: number, place = 0): void {
    const channel = this.#channel(name);
    channel.over = false;
    // keys ascend: of what was brought, the largest is reached; others' rows up to it may go before those of this channel
    channel.reached = Math.max(reached, keys.at(-1) ?? Number.NEGATIVE_INFINITY);
    if (frame.height > 0) channel.waiting.push({ frame, keys, at: 0, place });
  }

  /** Nothing of a smaller key comes on this channel any more. */
  move(name: string, reached: number): void {
    const channel = this.#channel(name);
    channel.over = false;
    channel.reached = reached;
  }

  /** Nothing more comes on this channel, or nobody waits for it until it brings something again. */
  end(name: string): void {
    this.#channel(name).over = true;
  }

  isOver(name: string): boolean {
    return this.#channel(name).over;
  }

  reached(name: string): number {
    return this.#channel(name).reached;
  }

  /** The first row of a channel that is not released; undefined when none waits. */
  held(name: string): Place | undefined {
    const first = this.#channel(name).waiting[0];
    return first && { place: first.place, row: first.at, key: first.keys[first.at]! };
  }

  /** How many rows wait. */
  waiting(name: string): number {
    return this.#channel(name).waiting.reduce((sum, { keys, at }) => sum + keys.length - at, 0);
  }

  /** The channels that others wait for: they have brought nothing yet that is late enough. */
  get awaited(): string[] {
    if (this.#channels.every(({ waiting }) => waiting.length === 0)) return [];
    return this.#channels.filter(({ over, waiting }) => !over && waiting.length === 0).map(({ name }) => name);
  }

  /** Takes what can be released out. */
  release(): Released {
    const parts = new Map<string, { frame: pl.DataFrame; keys: Float64Array; index: number }[]>();
    for (const channel of this.#channels) {
      const bound = this.#bound(channel);
      while (channel.waiting.length > 0) {
        const first = channel.waiting[0]!;
        const end = firstBeyond(first.keys, bound, channel.index);
        if (end > first.at) {
          const whole = first.at === 0 && end === first.keys.length;
          const frame = whole ? first.frame : first.frame.slice(first.at, end - first.at);
          const own = parts.get(channel.input) ?? [];
          own.push({ frame, keys: first.keys.subarray(first.at, end), index: channel.index });
          parts.set(channel.input, own);
          first.at = end;
        }
        if (end < first.keys.length) break;
        channel.waiting.shift();
      }
    }
    const open = this.#channels.filter(({ over }) => !over);
    const counted = open.length > 0 ? open : this.#channels;
    const all = counted.map(({ reached }) => reached);
    const reached = open.length > 0 ? Math.min(...all) : Math.max(...all);
    return {
      batches: new Map([...parts].map(([input, frames]) => [input, merged(frames)])),
      reached: Number.isFinite(reached) ? reached : Number.NaN,
    };
  }

  /** The place in the order from which on another channel may still bring rows. */
  #bound(channel: Channel): { key: number; index: number } {
    let bound = { key: Number.POSITIVE_INFINITY, index: 0 };
    for (const { index, reached, over } of this.#channels) {
      if (over || index === channel.index) continue;
      if (reached < bound.key || (reached === bound.key && index < bound.index)) bound = { key: reached, index };
    }
    return bound;
  }

  #channel(name: string): Channel {
    const channel = this.#channels.find((one) => one.name === name);
    if (channel === undefined) throw new TypeError(`${name} is no channel`);
    return channel;
  }
}

/** How many of the keys come before the bound, for the channel of this index. */
function firstBeyond(keys: Float64Array, bound: { key: number; index: number }, index: number): number {
  const equal = index < bound.index; // rows with the bound's own key come before it
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = keys[middle]!;
    if (key < bound.key || (equal && key === bound.key)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The rows of several channels in their order. */
function merged(parts: readonly { frame: pl.DataFrame; keys: Float64Array; index: number }[]): pl.DataFrame {
  if (parts.every(({ index }) => index === parts[0]!.index)) return stacked(parts.map(({ frame }) => frame));
  const keyed = parts.map(({ frame, keys, index }) =>
    (frame.hstack([pl.Series(KEY, keys)] as never) as unknown as pl.DataFrame).withColumns(
      pl.lit(index).cast(pl.Int32).alias(CHANNEL),
    ),
  );
  const sorted = stacked(keyed).lazy().sort([KEY, CHANNEL], false, false, true).collectSync();
  return sorted.drop(KEY, CHANNEL);
}

const KEY = "\u0000key";
const CHANNEL = "\u0000channel";

const TIME = pl.col("_time").cast(pl.Int64).cumMax().forwardFill().cast(pl.Float64).alias(KEY);

/**
 * What the rows of a topic's partition are merged by: the largest event time up to and with the row.
 * @param before that of the rows before, ms; NaN where there are none
 */
export function runningTime(frame: pl.DataFrame, before: number): Float64Array {
  const keys = Float64Array.from(frame.select(TIME).getColumn(KEY).toTypedArray() as Float64Array);
  if (Number.isNaN(before)) return keys;
  for (let i = 0; i < keys.length && !(keys[i]! >= before); i++) keys[i] = before;
  return keys;
}

/** What rows that were placed anew are merged by: their `_order`. */
export function placedOrder(frame: pl.DataFrame): Float64Array {
  return Float64Array.from(frame.getColumn("_order").cast(pl.Float64).toTypedArray() as Float64Array);
}
