import type { Channel } from "../../host.ts";
import { badPanelText } from "../bad-panel.ts";
import { statusLine } from "../live-status.ts";
import type { NotebookLiveFrame } from "../notebook-live-frame.ts";
import { FIRST_VIEW, type FrameView, frameWindow, viewFrom } from "./frame-window.ts";

/** Pictures a second at most, whatever the stream does. */
const HZ = 10;

/**
 * One table on a screen: pushes the part of a live frame that is looked at, at most ten times a second, and only after the last picture
 * was acknowledged, so that a slow browser slows neither the stream nor itself.
 */
export class LiveViewer {
  readonly #frame: NotebookLiveFrame;
  readonly #channel: Channel;
  readonly #unwatch: () => void;
  #view: FrameView = FIRST_VIEW;
  /** Number of the last request of the front end: it tells answers to it from older ones. */
  #request = 0;
  #awaited = false;
  #dirty = true;
  #last = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(frame: NotebookLiveFrame, channel: Channel) {
    this.#frame = frame;
    this.#channel = channel;
    this.#unwatch = frame.watch(() => this.#changed());
    channel.onMessage((message) => void this.#receive(message as Record<string, unknown>));
    channel.onClose(() => this.close());
    this.#push();
  }

  close(): void {
    this.#unwatch();
    clearTimeout(this.#timer);
  }

  #changed(): void {
    this.#dirty = true;
    if (this.#awaited || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#push();
      },
      Math.max(0, this.#last + 1000 / HZ - performance.now()),
    );
  }

  async #receive(message: Record<string, unknown>): Promise<void> {
    const frame = this.#frame;
    try {
      switch (message.do) {
        case "shown":
          this.#awaited = false;
          if (this.#dirty) this.#changed();
          return;
        case "view":
          this.#view = viewFrom(message.view, this.#view);
          this.#request = Number(message.request) || 0;
          this.#push();
          return;
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
      this.#channel.send({ error: (error as Error).message });
    }
  }

  #push(): void {
    this.#last = performance.now();
    this.#dirty = false;
    this.#awaited = true;
    try {
      const { df, status } = this.#frame;
      const { rows, ...place } = frameWindow(df, this.#view, this.#frame.key);
      const { state, rate, lag, kept, rowsOut, dropped, late, badRecords, stateRows, watermark } = status;
      const numbers = { state, rate, lag, kept, rowsOut, dropped, late, badRecords, stateRows };
      this.#channel.send(
        {
          ...place,
          request: this.#request,
          key: this.#frame.key,
          speed: this.#frame.speed ?? null,
          status: { ...numbers, watermark: Number.isNaN(watermark) ? null : watermark, line: statusLine(status) },
          bad: badPanelText(badRecords, status.bad).join("\n"),
          ...(status.error !== undefined && { failed: (status.error as Error).message ?? String(status.error) }),
        },
        [rows.writeIPCStream()],
      );
    } catch (error) {
      this.#channel.send({ error: (error as Error).message });
    }
  }
}
