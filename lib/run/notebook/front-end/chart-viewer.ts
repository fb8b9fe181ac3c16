import {
  type ChartData,
  type ChartOptions,
  chartChange,
  chartTitle,
  dataOf,
  plotlyFigure,
} from "../../../chart/index.ts";
import type { Channel } from "../../host.ts";
import { badPanelText } from "../bad-panel.ts";
import { statusLine } from "../live-status.ts";
import type { NotebookLiveFrame } from "../notebook-live-frame.ts";
import { Pictures, steer } from "./pictures.ts";

/** Pictures a second, unless the program says otherwise. */
const HZ = 5;

/** One chart on a screen: it is told what changes of its points, and drawn anew only where other traces or rows in between make that necessary. */
export class ChartViewer {
  readonly #frame: NotebookLiveFrame;
  readonly #options: ChartOptions;
  readonly #pictures: Pictures;
  #drawn: ChartData | undefined;
  #title = "";

  constructor(frame: NotebookLiveFrame, options: ChartOptions, channel: Channel) {
    this.#frame = frame;
    this.#options = options;
    this.#pictures = new Pictures(frame, channel, HZ, () => channel.send(this.#picture()));
    channel.onMessage((message) => void steer(frame, channel, this.#pictures, message as Record<string, unknown>));
    channel.onClose(() => this.#pictures.close());
    this.#pictures.now();
  }

  #picture(): unknown {
    const { df, status, title } = this.#frame;
    const { state, badRecords, bad, error } = status;
    const failed = error === undefined ? undefined : ((error as Error).message ?? String(error));
    const said = {
      state,
      line: statusLine(status),
      bad: [...status.drift, ...badPanelText(badRecords, bad)].join("\n"),
      failed,
    };
    const data = dataOf(failed !== undefined && df.height === 0 ? df.select() : df, this.#options);
    const text = chartTitle(data, title);
    const change = this.#drawn === undefined || text !== this.#title ? undefined : chartChange(this.#drawn, data);
    this.#drawn = data;
    this.#title = text;
    if (change !== undefined) return { ...said, change };
    return { ...said, figure: plotlyFigure(data, { title: text, link: this.#options.link }) };
  }
}
