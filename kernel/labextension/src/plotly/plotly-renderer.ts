import { button, element } from "../element.ts";
import type { Kernel, RendererFactory, RenderModel, SessionContext, ThemeManager, Widget } from "../jupyterlab.ts";
import type { KernelConnections } from "../kernel-connections.ts";
import { kernelOf, LiveComm, whenKernelGoes } from "../live/live-comm.ts";
import { ownKeys } from "../own-keys.ts";
import type { Shared } from "../shared.ts";
import type { ChartPicture, Figure } from "./figure.ts";
import { loadPlotly } from "./load-plotly.ts";
import { PlotView } from "./plot-view.ts";

const MIME = "application/vnd.plotly.v1+json";

/**
 * Renders Plotly figures, by the one copy of plotly.js that comes with the extension. The chart of a live frame whose kernel is at hand is told by it what
 * changes; otherwise it is the figure saved with the notebook.
 */
export function plotlyRenderer(
  { Widget }: Shared,
  themes: ThemeManager | null,
  context: SessionContext,
  connections: KernelConnections,
): RendererFactory {
  class PlotlyOutput extends Widget {
    #view: PlotView | undefined;
    #saved: Figure = { data: [] };
    #id: string | undefined;
    #kernel: Kernel | undefined;
    #comm: LiveComm<ChartPicture> | undefined;
    #controls: ChartControls | undefined;
    readonly #resize = new ResizeObserver(() => this.#fit());
    readonly #unlisten = whenKernelGoes(context, () => this.#gone());
    readonly #themed = () => void this.#view?.redraw();

    async renderModel({ data }: RenderModel): Promise<void> {
      this.#saved = data[MIME] as Figure;
      const plotly = await loadPlotly();
      if (this.isDisposed) return;
      if (this.#view === undefined) {
        this.#view = new PlotView(plotly);
        this.node.replaceChildren(this.#view.node);
        this.#resize.observe(this.node);
        themes?.themeChanged.connect(this.#themed);
      }
      await this.#connect();
      if (this.#comm === undefined) await this.#view.draw(this.#saved);
    }

    async #connect(): Promise<void> {
      const id = this.#saved.layout?.meta?.millrace?.id;
      const kernel = id === undefined ? undefined : await kernelOf(context);
      if (id === this.#id && kernel === this.#kernel) return;
      this.#comm?.close();
      this.#id = id;
      this.#kernel = kernel;
      this.#comm = undefined;
      if (id === undefined || kernel === undefined || this.isDisposed) return;
      await this.#view!.draw(this.#saved); // until the kernel has answered
      this.#comm = new LiveComm<ChartPicture>(connections.to(kernel), "millrace.chart", id, {
        picture: (picture) => this.#show(picture),
        error: (message) => this.#controls?.say(message),
        refused: (message) => this.#controls?.say(message),
        gone: () => this.#gone(),
      });
    }

    #gone(): void {
      const comm = this.#comm;
      if (comm === undefined) return;
      this.#comm = undefined; // first: to close it says that it is gone
      comm.close();
      this.#controls?.node.remove();
      this.#controls?.below.remove();
      this.#controls = undefined;
      void this.#view?.draw(this.#saved);
    }

    async #show(picture: ChartPicture): Promise<void> {
      if (this.#controls === undefined) {
        this.#controls = new ChartControls((message) => this.#comm?.send(message));
        this.node.prepend(this.#controls.node);
        this.node.append(this.#controls.below);
      }
      this.#controls.show(picture);
      if (picture.figure !== undefined) await this.#view!.draw(picture.figure);
      else if (picture.change !== undefined) await this.#view!.change(picture.change);
    }

    #fit(): void {
      if (this.isVisible) this.#view?.fit();
    }

    override dispose(): void {
      this.#resize.disconnect();
      themes?.themeChanged.disconnect(this.#themed);
      this.#unlisten();
      this.#comm?.close();
      this.#view?.close();
      super.dispose();
    }
  }
  return {
    safe: true,
    mimeTypes: [MIME],
    defaultRank: 30,
    createRenderer: () => {
      const output = new PlotlyOutput();
      output.addClass("mr-output");
      return output as Widget & { renderModel(model: RenderModel): Promise<void> };
    },
  };
}

/** Pause and stop above a live chart with its status; what went wrong below it. */
class ChartControls {
  readonly node: HTMLElement;
  readonly below: HTMLElement;
  readonly #line = element("span", { class: "mr-line", role: "status", "aria-live": "off" });
  readonly #pause: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #said = element("pre", { class: "mr-said", role: "alert", hidden: true });
  readonly #bad = element("pre", { class: "mr-bad", hidden: true });

  constructor(send: (message: Record<string, unknown>) => void) {
    this.#pause = button("Pause", "pause reading", () => send({ do: this.#pause.dataset.do ?? "pause" }));
    this.#stop = button("Stop", "stop this live chart", () => send({ do: "stop" }));
    this.node = ownKeys(
      element(
        "div",
        { class: "mr-controls", role: "toolbar", "aria-label": "live chart" },
        this.#pause,
        this.#stop,
        this.#line,
      ),
    );
    this.below = element("div", {}, this.#said, this.#bad);
  }

  show({ state, line, bad, failed }: ChartPicture): void {
    const paused = state === "paused";
    this.#pause.dataset.do = paused ? "resume" : "pause";
    this.#pause.textContent = paused ? "Resume" : "Pause";
    this.#pause.title = paused ? "resume reading" : "pause reading";
    this.#pause.setAttribute("aria-label", this.#pause.title);
    this.#stop.disabled = state === "stopped" || state === "failed";
    this.#pause.disabled = this.#stop.disabled || state === "waiting";
    this.#line.textContent = line;
    this.say(failed ?? "");
    this.#bad.hidden = bad === "";
    this.#bad.textContent = bad;
  }

  say(message: string): void {
    this.#said.hidden = message === "";
    this.#said.textContent = message;
  }
}
