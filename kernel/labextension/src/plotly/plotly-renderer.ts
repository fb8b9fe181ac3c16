import type { RendererFactory, RenderModel, ThemeManager, Widget } from "../jupyterlab.ts";
import type { Shared } from "../shared.ts";
import { loadPlotly, type Plotly } from "./load-plotly.ts";

const MIME = "application/vnd.plotly.v1+json";

interface Figure {
  readonly data: readonly unknown[];
  readonly layout?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Renders Plotly figures, by the one copy of plotly.js that comes with the extension; a figure that changes keeps its zoom. */
export function plotlyRenderer({ Widget }: Shared, themes: ThemeManager | null): RendererFactory {
  class PlotlyOutput extends Widget {
    #plot: HTMLElement | undefined;
    #plotly: Plotly | undefined;
    #figure: Figure | undefined;
    readonly #resize = new ResizeObserver(() => this.#fit());
    readonly #themed = () => void this.#draw();

    async renderModel({ data }: RenderModel): Promise<void> {
      this.#figure = data[MIME] as Figure;
      this.#plotly ??= await loadPlotly();
      if (this.isDisposed) return;
      if (this.#plot === undefined) {
        this.#plot = document.createElement("div");
        this.#plot.className = "mr-plot";
        this.node.replaceChildren(this.#plot);
        this.#resize.observe(this.node);
        themes?.themeChanged.connect(this.#themed);
      }
      await this.#draw();
    }

    async #draw(): Promise<void> {
      const { data, layout = {}, config = {} } = this.#figure!;
      await this.#plotly!.react(
        this.#plot!,
        data,
        { ...themeLayout(), autosize: true, ...layout },
        { responsive: false, displaylogo: false, ...config },
      );
    }

    #fit(): void {
      if (this.#plot !== undefined && this.isVisible) this.#plotly?.Plots.resize(this.#plot);
    }

    override dispose(): void {
      this.#resize.disconnect();
      themes?.themeChanged.disconnect(this.#themed);
      if (this.#plot !== undefined) this.#plotly?.purge(this.#plot);
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

/** JupyterLab's own colours, so that a chart is dark in a dark theme. */
function themeLayout(): Record<string, unknown> {
  const style = getComputedStyle(document.body);
  const variable = (name: string) => style.getPropertyValue(name).trim();
  const grid = {
    gridcolor: variable("--jp-border-color2"),
    linecolor: variable("--jp-border-color1"),
    zerolinecolor: variable("--jp-border-color1"),
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: variable("--jp-content-font-color1"), family: variable("--jp-content-font-family") },
    template: { layout: { xaxis: grid, yaxis: grid } },
  };
}
