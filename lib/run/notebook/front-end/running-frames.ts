import type { NotebookLiveFrame } from "../notebook-live-frame.ts";

/** The live frames of this process by id, and who wants to hear of comings and goings. A frame that has ended can still be looked at until its cell is gone. */
export class RunningFrames {
  readonly #frames = new Map<string, NotebookLiveFrame>();

  add(frame: NotebookLiveFrame): void {
    this.#frames.set(frame.id, frame);
    // ended ones are kept for late viewers, but not without bound
    for (const [id, { status }] of this.#frames) {
      if (this.#frames.size <= MOST) break;
      if (status.state === "stopped" || status.state === "failed") this.#frames.delete(id);
    }
  }

  get(id: unknown): NotebookLiveFrame | undefined {
    return this.#frames.get(id as string);
  }

  /** Those that read, or could again. */
  get running(): readonly NotebookLiveFrame[] {
    return [...this.#frames.values()].filter(({ status: { state } }) => state !== "stopped" && state !== "failed");
  }
}

const MOST = 50;

/** Of this process: cells and front ends meet here. */
export const runningFrames = new RunningFrames();
