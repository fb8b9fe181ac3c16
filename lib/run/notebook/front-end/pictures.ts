import type { Channel } from "../../host.ts";
import type { NotebookLiveFrame } from "../notebook-live-frame.ts";
import { typedPosition } from "../positions.ts";

/** Pictures a second, whatever the program asks for: more are not seen. */
const LEAST_HZ = 0.1;
const MOST_HZ = 10;
/** Pictures of all viewers together take at most one part in so many of the time. */
const PAUSE = 19;

/** Who looks at the same live frame: they get their pictures at the same moment, so that what is the same in them is made once. */
class Audience {
  readonly pictures = new Set<Pictures>();
  /** How long the last round of pictures took to make, ms. */
  cost = 0;
}

/** Of this process. */
const audiences = new Map<NotebookLiveFrame, Audience>();

/**
 * When a front end gets its next picture of a live frame: after something has changed, at most so often a second, and only after the last picture was
 * acknowledged, so that a slow browser slows neither the stream nor itself.
 */
export class Pictures {
  readonly #frame: NotebookLiveFrame;
  readonly #audience: Audience;
  readonly #channel: Channel;
  readonly #interval: number;
  readonly #send: () => void;
  readonly #unwatch: () => void;
  #closed = false;
  #awaited = false;
  #dirty = true;
  #last = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param hz pictures a second, where the program does not say */
  constructor(frame: NotebookLiveFrame, channel: Channel, hz: number, send: () => void) {
    this.#frame = frame;
    this.#channel = channel;
    this.#interval = 1000 / Math.min(MOST_HZ, Math.max(LEAST_HZ, frame.displayOptions.hz ?? hz));
    this.#send = send;
    this.#audience = audiences.get(frame) ?? new Audience();
    audiences.set(frame, this.#audience);
    this.#audience.pictures.add(this);
    this.#unwatch = frame.watch(() => this.#changed());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#audience.pictures.delete(this);
    if (this.#audience.pictures.size === 0) audiences.delete(this.#frame);
    this.#unwatch();
    clearTimeout(this.#timer);
  }

  /** The front end has drawn the last one. */
  shown(): void {
    this.#awaited = false;
    if (this.#dirty) this.#changed();
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = performance.now();
    this.#dirty = false;
    this.#awaited = true;
    try {
      this.#send();
    } catch (error) {
      this.#awaited = false; // there is nothing to acknowledge: the next picture may be a good one
      this.#channel.send({ error: (error as Error).message });
    }
  }

  #changed(): void {
    this.#dirty = true;
    if (this.#awaited || this.#timer !== undefined) return;
    let costs = 0;
    for (const { cost } of audiences.values()) costs += cost;
    // the costlier the pictures of all who look, the fewer there are
    const interval = Math.max(this.#interval, PAUSE * costs);
    this.#timer = setTimeout(() => this.#round(), Math.max(0, this.#last + interval - performance.now()));
  }

  /** This one, and those whose time has nearly come. */
  #round(): void {
    const began = performance.now();
    for (const each of this.#audience.pictures)
      if (each === this || (each.#dirty && !each.#awaited && each.#last + each.#interval / 2 < began)) each.now();
    this.#audience.cost = performance.now() - began;
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
        return await frame.seek(typedPosition(String(message.to)));
      case "speed":
        return frame.replay(message.speed === null ? undefined : Number(message.speed));
    }
  } catch (error) {
    channel.send({ refused: (error as Error).message });
  }
}
