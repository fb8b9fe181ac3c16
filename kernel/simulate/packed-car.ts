import pl from "nodejs-polars";
import type { RecordColumns } from "../../lib/log/index.ts";
import { START } from "./options.ts";
import { Random } from "./random.ts";

export interface PackedCarOptions {
  /** Of values: `arrow` (an IPC stream of many channels) or `json` (an array of the samples of one channel). */
  readonly format: "arrow" | "json";
  /** 50,000 by default. */
  readonly channels?: number;
  /** Channels of one control unit, whose samples come in one message; 50 by default, in JSON always 1. */
  readonly perUnit?: number;
  /** Samples per second of a channel; 1500 by default. */
  readonly hertz?: number;
  /** Event time in one message, ms; 100 by default. */
  readonly span?: number;
  /** Messages in all; endless when absent. */
  readonly count?: number;
  readonly start?: number;
  readonly seed?: number;
}

const PATTERNS = 8;

/**
 * One racing car, all of its channels: a message holds what one control unit has sampled in `span` ms, as columns `channel` (Int32), `timestamp`
 * (ms) and `value` (Float32; whole multiples of 1/64, so that sums are exact), and its key is the unit (`unit-0007`). Gives the messages of one `span` at
 * a time. Channels swing around levels of their own; a few shapes of noise repeat, or making them would take longer than sending them.
 */
export function* simulatePackedCar(options: PackedCarOptions): Generator<RecordColumns, void, undefined> {
  const { format, channels = 50_000, hertz = 1500, span = 100, start = START } = options;
  const perUnit = format === "json" ? 1 : (options.perUnit ?? 50);
  const random = new Random(options.seed ?? 1);
  const units = Math.ceil(channels / perUnit);
  const samples = Math.round((hertz * span) / 1000);
  const rows = perUnit * samples;
  const noise = Array.from({ length: PATTERNS }, () =>
    Float32Array.from({ length: rows }, () => Math.round(random.normal() * 640) / 64),
  );
  const channelOf = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / samples));
  const offsetOf = Float64Array.from({ length: rows }, (_, row) => Math.floor(((row % samples) * 1000) / hertz));
  let left = options.count ?? Number.POSITIVE_INFINITY;
  for (let step = 0; left > 0; step++) {
    const time = start + step * span;
    const size = Math.min(units, left);
    const keys = Array.from({ length: size }, (_, unit) => Buffer.from(`unit-${String(unit).padStart(4, "0")}`));
    const times = offsetOf.map((offset) => time + offset);
    const values = keys.map((_, unit) => {
      const level = ((unit * 7 + step) % 100) - 50;
      const value = noise[(unit + step) % PATTERNS]!.map((one) => one + level);
      const channel = channelOf.map((one) => one + unit * perUnit);
      return format === "json" ? jsonMessage(channel, times, value) : arrowMessage(channel, times, value);
    });
    left -= size;
    yield {
      count: size,
      keys: packed(keys),
      values: packed(values),
      timestamps: new Float64Array(size).fill(time),
    };
  }
}

function arrowMessage(channel: Int32Array, times: Float64Array, value: Float32Array): Buffer {
  return pl
    .DataFrame([
      pl.Series("channel", channel),
      pl.Series("timestamp", times).cast(pl.Int64).cast(pl.Datetime("ms")),
      pl.Series("value", value),
    ])
    .writeIPCStream({ compression: "uncompressed" });
}

const jsonMessage = (channel: Int32Array, times: Float64Array, value: Float32Array): Buffer =>
  Buffer.from(`{"timestamp":${times[0]},"channel":${channel[0]},"value":[${value.join()}]}`);

function packed(parts: readonly Buffer[]) {
  const ends = new Uint32Array(parts.length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    at += part.length;
    ends[i] = at;
  }
  return { bytes: Buffer.concat(parts), starts: Uint32Array.from(ends, (end, i) => end - parts[i]!.length), ends };
}
