import { setTimeout as after } from "node:timers/promises";
import type { Writable, XPublisher } from "zeromq";

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

  /** When all that was given so far is on its way. */
  get sent(): Promise<void> {
    return this.#last;
  }
}

/** How long a subscriber that does not read may hold up what all are sent, in ms. (ZeroMQ tells of what was read by half a queue at a time.) */
const PATIENCE = 5000;
/** And one that has been found asleep, each time it is looked at again. */
const GLANCE = 20;
/** Nobody is waited for for so long, in ms, once a subscriber sleeps. */
const SLEEP = 250;
/** A full queue is looked at again after this long, in ms. */
const AGAIN = 2;

type PublisherSocket = Pick<XPublisher, "send" | "noDrop">;

/**
 * Waits for a subscriber that reads more slowly than is published, instead of leaving out messages of its own choice: without the one that says a cell has
 * ended, a client waits for ever. Once a subscriber has read nothing for so long that it must be asleep, messages are left out for whoever has no room for
 * them, until it reads again.
 */
export class Publisher extends Sender {
  constructor(socket: PublisherSocket) {
    let patience = PATIENCE;
    let asleepUntil = 0;
    /** @returns whether every subscriber has it, or had it left out */
    const passed = (frames: Uint8Array[]) =>
      socket.send(frames).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== "EAGAIN") throw error;
          return false;
        },
      );
    super({
      async send(frames: Uint8Array[]) {
        const since = performance.now();
        if (since > asleepUntil) {
          if (patience < PATIENCE) socket.noDrop = true;
          do {
            if (await passed(frames)) {
              patience = PATIENCE;
              return;
            }
            await after(AGAIN);
          } while (performance.now() - since < patience);
          patience = GLANCE;
          asleepUntil = performance.now() + SLEEP;
          socket.noDrop = false;
        }
        await passed(frames);
      },
    });
  }
}
