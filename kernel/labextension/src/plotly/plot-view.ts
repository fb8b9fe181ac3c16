import { changed, type Figure, type TraceChange } from "./figure.ts";
import { linkZoom } from "./linked-zoom.ts";
import type { PlotElement, Plotly } from "./load-plotly.ts";

/** A chart on the page. It keeps zoom and hidden traces as it changes; points that come are put at the end of what is drawn. */
export class PlotView {
  readonly node: PlotElement = document.createElement("div");
  readonly #plotly: Plotly;
  #figure: Figure = { data: [] };
  #unlink: (() => void) | undefined;

  constructor(plotly: Plotly) {
    this.#plotly = plotly;
    this.node.className = "mr-plot";
  }

  async draw(figure: Figure): Promise<void> {
    this.#figure = figure;
    await this.redraw();
    const link = figure.layout?.meta?.millrace?.link;
    if (link !== undefined) this.#unlink ??= linkZoom(this.#plotly, this.node, link);
  }

  /** What has changed since the figure was drawn. */
  async change(changes: readonly TraceChange[]): Promise<void> {
    const before = this.#figure.data;
    this.#figure = { ...this.#figure, data: changed(before, changes) };
    if (changes.some(({ end, head }) => end > 0 || head.x.length > 0)) return this.redraw();
    const moved = [...changes.keys()].filter((i) => changes[i]!.tail.x.length > 0 || changes[i]!.front > 0);
    if (moved.length === 0) return;
    const points = (axis: "x" | "y") => moved.map((i) => [...changes[i]!.tail[axis]]);
    const most = moved.map((i) => this.#figure.data[i]!.x!.length);
    await this.#plotly.extendTraces(this.node, { x: points("x"), y: points("y") }, moved, { x: most, y: most });
  }

  async redraw(): Promise<void> {
    const { data, layout = {}, config = {} } = this.#figure;
    const theme = themeLayout();
    // Plotly changes what it is given: copies, so that the figure stays as the kernel told it
    const traces = data.map((trace) => ({
      ...trace,
      ...(trace.x && { x: [...trace.x] }),
      ...(trace.y && { y: [...trace.y] }),
    }));
    await this.#plotly.react(
      this.node,
      traces,
      { ...theme, autosize: true, ...layout },
      { responsive: false, displaylogo: false, ...config },
    );
  }

  fit(): void {
    this.#plotly.Plots.resize(this.node);
  }

  close(): void {
    this.#unlink?.();
    this.#plotly.purge(this.node);
  }
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
    modebar: { color: variable("--jp-ui-font-color2"), activecolor: variable("--jp-ui-font-color1") },
    template: { layout: { xaxis: grid, yaxis: grid } },
  };
}
