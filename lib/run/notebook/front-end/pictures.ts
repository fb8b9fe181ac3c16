import type { Channel } from "../../host.ts";
import type { NotebookLiveFrame } from "../notebook-live-frame.ts";

/** Pictures of all viewers together take at most one part in so many of the time. */
const PAUSE = 8;

/** Viewers of this process. */
let watching = 0;

/**
 * When a front end gets its next picture of a live frame: after something has changed, at most so often a second, and only after the last picture was
 * acknowledged, so that a slow browser slows neither the stream nor itself.
 */
export class Pictures {
  readonly #channel: Channel;
  readonly #interval: number;
  readonly #send: () => void;
  readonly #unwatch: () => void;
  #closed = false;
  #awaited = false;
  #dirty = true;
  #last = 0;
  /** How long the last picture took to make, ms. */
  #cost = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(frame: NotebookLiveFrame, channel: Channel, hz: number, send: () => void) {
    this.#channel = channel;
    this.#interval = 1000 / hz;
    this.#send = send;
    this.#unwatch = frame.watch(() => this.#changed());
    watching++;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    watching--;
    this.#unwatch();
    clearTimeout(this.#timer);
  }

  /** The front end has drawn the last one. */
  shown(): void {
    this.#awaited = false;
    if (this.#dirty) this.#changed();
  }

  now(): void {
    this.#last = performance.now();
    this.#dirty = false;
    this.#awaited = true;
    try {
      this.#send();
    } catch (error) {
      this.#channel.send({ error: (error as Error).message });
    }
    this.#cost = performance.now() - this.#last;
  }

  #changed(): void {
    this.#dirty = true;
    if (this.#awaited || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.now();
      },
      // ten viewers take as much time as one may: the costlier a picture, the fewer there are
      Math.max(0, this.#last + Math.max(this.#interval, PAUSE * this.#cost * watching) - performance.now()),
    );
  }
}

/** Does what the controls of a table or chart ask for. */
export async function steer(
  frame: NotebookLiveFrame,
  channel: Channel,
  pictures: Pictures,
  message: Record<string, unknown>,
): Promise<void> {
  try {
    switch (message.do) {
      case "shown":
        return pictures.shown();
      case "pause":
        return frame.pause();
      case "resume":
        return frame.resume();
      case "step":
        return await frame.step();
      case "stop":
        return await frame.stop();
      case "seek":
        return await frame.seek(message.to as string);
      case "speed":
        return frame.replay(message.speed === null ? undefined : Number(message.speed));
    }
  } catch (error) {
    channel.send({ error: (error as Error).message });
  }
}
