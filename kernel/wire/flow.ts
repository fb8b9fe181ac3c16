/** How far the thread that runs cells may be ahead of the one that sends, in units of 1 kB or one small message. */
const MOST_AHEAD = 4096;
/** A wait looks again after this long, in ms. */
const PATIENCE = 100;

/**
 * Holds a loop that publishes for ever to the pace of the thread that sends: between them is a queue without a bound. The one counts what it has posted,
 * the other, in shared memory, what it is done with; the first blocks while it is too far ahead. An interrupt ends such a wait, and one that falls between a
 * message and its count only lets a little more pass.
 */
export class Flow {
  readonly #done: Int32Array<SharedArrayBuffer>;
  #posted = 0;

  /** @param shared that of the other thread's */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.#done = new Int32Array(shared);
  }

  get shared(): SharedArrayBuffer {
    return this.#done.buffer;
  }

  /** Waits until the other thread is not too far behind, then posts. A message that is larger than all that may be ahead goes alone. */
  post(cost: number, send: () => void): void {
    for (;;) {
      const done = Atomics.load(this.#done, 0);
      // Both counts wrap around.
      const ahead = (this.#posted - done) | 0;
      if (ahead < 0) this.#posted = done;
      if (ahead <= 0 || ahead + cost <= MOST_AHEAD) break;
      Atomics.wait(this.#done, 0, done, PATIENCE);
    }
    send();
    this.#posted = (this.#posted + cost) | 0;
  }

  /** Tells that a message was sent, or has failed for good. */
  done(cost: number): void {
    Atomics.add(this.#done, 0, cost);
    Atomics.notify(this.#done, 0);
  }
}

/** Text of a stream is joined with its neighbours' before it is sent. */
export const costOfText = (text: string): number => 1 + (text.length >>> 10);

/** What any other message costs apart from what it carries: its header and its way through the sockets. */
const MESSAGE = 8;
/** JSON is not measured: it is taken for so much, in characters. */
const JSON_LENGTH = 65_536;

/** @param parts what a message carries: texts, bytes, JSON */
export function costOfMessage(parts: Iterable<unknown>): number {
  let length = 0;
  for (const part of parts)
    length += typeof part === "string" ? part.length : part instanceof Uint8Array ? part.byteLength : JSON_LENGTH;
  return MESSAGE + (length >>> 10);
}
