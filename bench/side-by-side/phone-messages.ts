import pl from "nodejs-polars";
import { type Cluster, Producer, partitionByKey, partitionOf, type RecordColumns } from "../../lib/log/index.ts";

export interface PhoneMessageOptions {
  readonly count: number;
  readonly devices: number;
  readonly partitions: number;
  /** Most bytes of a record batch. */
  readonly batchBytes: number;
}

/** Messages a second of event time: 1000 devices at 10 Hz. */
const RATE = 10_000;
const START = Date.UTC(2026, 0, 1);
const SEED = 0x9e3779b9;
const CHUNK = 50_000;

/** Messages as columns, all in one list of what they say and chunk by chunk as records. */
export class PhoneMessages {
  /** The record keys. */
  readonly keys: readonly string[];
  readonly #count: number;
  readonly #device: Int32Array;
  readonly #timestamp: Float64Array;
  readonly #axes: readonly [Float64Array, Float64Array, Float64Array];
  readonly #keyBytes: readonly Buffer[];

  /**
   * The same messages each time: `{"timestamp":…,"gForceX":…,"gForceY":…,"gForceZ":…}`, about 87 bytes, six decimals, keyed by device, record
   * time = `timestamp`.
   * @param inTurn every device in turn; by default they are drawn
   */
  constructor(count: number, devices: number, inTurn = false) {
    this.#count = count;
    this.keys = Array.from({ length: devices }, (_, device) => `phone-${String(device).padStart(4, "0")}`);
    this.#keyBytes = this.keys.map((key) => Buffer.from(key));
    this.#device = new Int32Array(count);
    this.#timestamp = new Float64Array(count);
    this.#axes = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
    const random = mulberry32(SEED);
    for (let i = 0; i < count; i++) {
      this.#device[i] = inTurn ? i % devices : Math.floor(random() * devices);
      this.#timestamp[i] = START + Math.floor((i * 1000) / RATE);
      // three uniforms make a bell wide enough; a phone at rest feels 1 g along z
      for (const [axis, column] of this.#axes.entries()) {
        const bell = (random() + random() + random() - 1.5) * 1.2;
        column[i] = Math.round((axis === 2 ? 1 + bell : bell) * 1e6) / 1e6;
      }
    }
  }

  /** As records, `size` at a time. */
  *chunks(size = CHUNK): Generator<RecordColumns> {
    for (let from = 0; from < this.#count; from += size)
      yield chunkColumns(
        from,
        Math.min(from + size, this.#count),
        this.#device,
        this.#timestamp,
        this.#axes,
        this.#keyBytes,
      );
  }

  /** As a frame, for the oracle, which thereby depends on no decoder. */
  frame(partitions: number): pl.DataFrame {
    const messages = pl.DataFrame([
      pl.Series("number", this.#device, pl.Int32),
      pl.Series("timestamp", this.#timestamp, pl.Float64).cast(pl.Int64),
      ...["gForceX", "gForceY", "gForceZ"].map((name, axis) => pl.Series(name, this.#axes[axis]!, pl.Float64)),
    ]);
    const names = pl.DataFrame([
      pl.Series("number", Int32Array.from(this.keys.keys()), pl.Int32),
      pl.Series("device", this.keys, pl.Utf8),
      pl.Series(
        "partition",
        this.#keyBytes.map((key) => partitionOf(partitions, key)),
        pl.Int32,
      ),
    ]);
    return messages.join(names, { on: "number", how: "left" }).drop("number");
  }
}

/** Writes the messages to a topic that exists; gives them as a frame, too. */
export async function producePhoneMessages(
  cluster: Cluster,
  topic: string,
  { count, devices, partitions, batchBytes }: PhoneMessageOptions,
): Promise<{ messages: pl.DataFrame; valueBytes: number }> {
  const phones = new PhoneMessages(count, devices);
  const producer = await Producer.create(cluster, { maxBatchBytes: batchBytes });
  let valueBytes = 0;
  for (const columns of phones.chunks()) {
    valueBytes += columns.values.bytes.length - columns.count;
    for (const [partition, part] of partitionByKey(columns, partitions).entries())
      await producer.send(topic, partition, part);
  }
  await producer.flush();
  await producer.close();
  return { messages: phones.frame(partitions), valueBytes };
}

function chunkColumns(
  from: number,
  to: number,
  device: Int32Array,
  timestamp: Float64Array,
  [x, y, z]: readonly [Float64Array, Float64Array, Float64Array],
  keyBytes: readonly Buffer[],
): RecordColumns {
  const count = to - from;
  const lines = new Array<string>(count);
  const values = { starts: new Uint32Array(count), ends: new Uint32Array(count) };
  let at = 0;
  for (let i = from; i < to; i++) {
    const line = `{"timestamp":${timestamp[i]},"gForceX":${x[i]!.toFixed(6)},"gForceY":${y[i]!.toFixed(6)},"gForceZ":${z[i]!.toFixed(6)}}\n`;
    lines[i - from] = line;
    values.starts[i - from] = at;
    values.ends[i - from] = at + line.length - 1; // all ASCII
    at += line.length;
  }
  const width = keyBytes[0]!.length;
  const allKeys = Buffer.concat(keyBytes);
  return {
    count,
    values: { ...values, bytes: Buffer.from(lines.join(""), "latin1") },
    keys: {
      bytes: allKeys,
      starts: Uint32Array.from({ length: count }, (_, i) => device[from + i]! * width),
      ends: Uint32Array.from({ length: count }, (_, i) => (device[from + i]! + 1) * width),
    },
    timestamps: timestamp.slice(from, to),
  };
}

/** A small, well distributed generator with a seed, so that every run has the same data. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
