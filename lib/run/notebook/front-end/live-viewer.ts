import type { Channel } from "../../host.ts";
import { badPanelText } from "../bad-panel.ts";
import { statusLine } from "../live-status.ts";
import type { NotebookLiveFrame } from "../notebook-live-frame.ts";
import { FIRST_VIEW, type FrameView, viewFrom } from "./frame-window.ts";
import { Pictures, steer } from "./pictures.ts";
import { windowPicture } from "./window-pictures.ts";

/** Pictures a second, unless the program says otherwise. */
const HZ = 10;
/** Rows around those on screen, so that there are some to see while one scrolls. */
const MORE = 6;

/** One table on a screen: it gets the part of a live frame that is looked at. */
export class LiveViewer {
  readonly #frame: NotebookLiveFrame;
  readonly #channel: Channel;
  readonly #pictures: Pictures;
  #view: FrameView;
  /** Number of the last request of the front end: it tells answers to it from older ones. */
  #request = 0;

  constructor(frame: NotebookLiveFrame, channel: Channel) {
    this.#frame = frame;
    this.#channel = channel;
    const { count } = FIRST_VIEW;
    this.#view = { ...FIRST_VIEW, count: Math.max(count, (frame.displayOptions.rows ?? 0) + MORE) };
    this.#pictures = new Pictures(frame, channel, HZ, () => this.#send());
    channel.onMessage((message) => this.#receive(message as Record<string, unknown>));
    channel.onClose(() => this.#pictures.close());
    this.#pictures.now();
  }

  #receive(message: Record<string, unknown>): void {
    if (message.do !== "view") return void steer(this.#frame, this.#channel, this.#pictures, message);
    this.#view = viewFrom(message.view, this.#view);
    this.#request = Number(message.request) || 0;
    this.#pictures.now();
  }

  #send(): void {
    const { status } = this.#frame;
    const { rows, place } = windowPicture(this.#frame, this.#view);
    const { state, rate, history, lag, kept, rowsOut, dropped, late, badRecords, stateRows, watermark } = status;
    const numbers = { state, rate, history, lag, kept, rowsOut, dropped, late, badRecords, stateRows };
    this.#channel.send(
      {
        ...place,
        request: this.#request,
        rows: this.#frame.displayOptions.rows ?? null,
        key: this.#frame.key,
        speed: this.#frame.speed ?? null,
        status: { ...numbers, watermark: Number.isNaN(watermark) ? null : watermark, line: statusLine(status) },
        bad: [...status.drift, ...badPanelText(badRecords, status.bad)].join("\n"),
        ...(status.error !== undefined && { failed: (status.error as Error).message ?? String(status.error) }),
      },
      [rows],
    );
  }
}
