import { Worker } from "node:worker_threads";
import { type DecodedRecords, type DecodeOptions, decodeRecordBatches } from "./decode.ts";
import type { DecodeAnswer, DecodeRequest } from "./decode-worker.ts";
import { CorruptRecords } from "./errors.ts";

/**
 * Decodes record batches beside the thread that computes: a sixth of a job's work, for which another core has time. One thread for all of a process, made by the
 * first that has much to decode. Its buffers are handed over, not copied, but for the record batches themselves, which stay here until they are decoded.
 */
export class DecodeThread {
  /** Null once it has failed: there is no second one. */
  static #shared: DecodeThread | undefined | null;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: DecodeAnswer | undefined) => void>();
  #asked = 0;
  #ready = false;

  static shared(): DecodeThread | undefined {
    if (DecodeThread.#shared === undefined) DecodeThread.#shared = new DecodeThread();
    return DecodeThread.#shared ?? undefined;
  }

  private constructor() {
    const name = import.meta.url.endsWith(".ts") ? "./decode-worker.ts" : "./decode-worker.js";
    this.#worker = new Worker(new URL(name, import.meta.url), { name: "millrace-decode", execArgv: [] });
    this.#worker.on("message", (answer: DecodeAnswer | "ready") => {
      if (answer === "ready") {
        this.#ready = true;
        return;
      }
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#worker.on("error", () => this.#gone());
    this.#worker.on("exit", () => this.#gone());
    this.#worker.unref(); // after listening, which would hold the process again
  }

  /** Whether it has started; until then whoever decodes himself is done sooner. */
  get ready(): boolean {
    return this.#ready;
  }

  /**
   * As {@link decodeRecordBatches}, of a copy of the bytes: they are as they were when the thread fails.
   * @throws {CorruptRecords}
   */
  async decode(records: Uint8Array, options: DecodeOptions): Promise<DecodedRecords> {
    const bytes = new Uint8Array(records); // a copy
    const request: DecodeRequest = { id: this.#asked++, bytes, options };
    const answered = await new Promise<DecodeAnswer | undefined>((resolve) => {
      this.#waiting.set(request.id, resolve);
      this.#worker.postMessage(request, [bytes.buffer]);
    });
    if (answered === undefined) return decodeRecordBatches(records, options);
    if ("corrupt" in answered) throw new CorruptRecords(answered.corrupt.what, answered.corrupt.where ?? "");
    return received(answered.decoded, options);
  }

  /** Ends the thread for good: what it has not decoded is decoded here, and so is all that comes. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #gone(): void {
    DecodeThread.#shared = null;
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
}

/** Views of bytes are plain ones when they come from another thread; here they are buffers. */
function received(decoded: DecodedRecords, { headers }: DecodeOptions): DecodedRecords {
  const { keys, values } = decoded;
  return {
    ...decoded,
    keys: { ...keys, bytes: buffer(keys.bytes) },
    values: { ...values, bytes: buffer(values.bytes) },
    ...(headers && {
      headers:
        decoded.headers?.map((one) =>
          one?.map(({ key, value }) => ({ key: buffer(key), value: value && buffer(value) })),
        ) ?? new Array(decoded.count),
    }),
  };
}

const buffer = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength);
