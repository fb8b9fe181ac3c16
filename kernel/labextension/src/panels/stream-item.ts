import { button, element } from "../element.ts";

/** A running live frame, as its kernel tells of it. */
export interface Stream {
  readonly id: string;
  readonly title: string;
  /** `table`, `chart`, or `preview` of a sink */
  readonly kind: string;
  readonly status: {
    readonly state: string;
    readonly rate: number;
    readonly lag: number;
    readonly late: number;
    readonly badRecords: number;
    readonly kept: number;
    readonly rowsOut: number;
    readonly openWindows: number;
    readonly stateRows: number;
  };
  readonly watermark: number | null;
}

const number = (value: number) => Math.round(value).toLocaleString("en");

/** One line of the Streams panel. It stays as its numbers change, so that the focus stays on its buttons. */
export class StreamItem {
  readonly node: HTMLElement;
  readonly #kind = element("small", {});
  readonly #speed = element("small", {});
  readonly #rows = element("small", {});
  readonly #pause: HTMLButtonElement;

  constructor({ title }: Stream, act: (what: "pause" | "resume" | "stop") => void) {
    this.#pause = button("Pause", `pause ${title}`, () =>
      act(this.#pause.dataset.do === "resume" ? "resume" : "pause"),
    );
    this.node = element(
      "li",
      {},
      element("b", {}, title),
      this.#kind,
      this.#speed,
      this.#rows,
      element(
        "span",
        {},
        this.#pause,
        button("Stop", `stop ${title}`, () => act("stop")),
      ),
    );
  }

  /** @param notebook its path, where that is known */
  show({ title, kind, status, watermark }: Stream, notebook: string | undefined): void {
    const { state, rate, lag, late, badRecords, rowsOut, openWindows, stateRows } = status;
    this.#kind.textContent = notebook === undefined ? kind : `${kind} in ${notebook}`;
    this.#speed.textContent = `${state} · ${number(rate)} records/s · lag ${number(lag)}`;
    const counted = (count: number, of: string) => (count > 0 ? [`${number(count)} ${of}`] : []);
    this.#rows.textContent = [
      `${number(rowsOut)} rows`,
      ...counted(openWindows, "open windows"),
      ...counted(stateRows, "rows of state"),
      ...counted(late, "late"),
      ...counted(badRecords, "bad"),
      ...(watermark === null
        ? []
        : [`watermark ${new Date(watermark).toISOString().replace("T", " ").replace("Z", "")}`]),
    ].join(" · ");
    const paused = state === "paused";
    this.#pause.dataset.do = paused ? "resume" : "pause";
    this.#pause.textContent = paused ? "Resume" : "Pause";
    this.#pause.title = `${paused ? "resume" : "pause"} ${title}`;
    this.#pause.setAttribute("aria-label", this.#pause.title);
    this.#pause.disabled = state === "waiting";
  }
}
