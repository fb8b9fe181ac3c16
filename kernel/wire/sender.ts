import type { Writable } from "zeromq";

/** Sends in order, one at a time: a ZeroMQ socket takes no second message while the first is on its way in. */
export class Sender {
  readonly #socket: Pick<Writable, "send">;
  #last: Promise<void> = Promise.resolve();

  constructor(socket: Pick<Writable, "send">) {
    this.#socket = socket;
  }

  send(frames: readonly Uint8Array[]): Promise<void> {
    const send = () => this.#socket.send(frames as Uint8Array[]);
    // A client that went away, or a closed socket, must not keep what follows from being sent.
    this.#last = this.#last.then(send, send).catch(() => {});
    return this.#last;
  }
}
