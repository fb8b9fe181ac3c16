/** The parts of plotly.js that are used here. */
export interface Plotly {
  react(node: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
  relayout(node: HTMLElement, changes: Readonly<Record<string, unknown>>): Promise<unknown>;
  extendTraces(
    node: HTMLElement,
    points: { readonly x: unknown[][]; readonly y: unknown[][] },
    traces: number[],
    most: { readonly x: number[]; readonly y: number[] },
  ): Promise<unknown>;
  purge(node: HTMLElement): void;
  readonly Plots: { resize(node: HTMLElement): void };
}

/** An element that holds a chart. */
export interface PlotElement extends HTMLElement {
  on?(event: "plotly_relayout", heard: (changes: Readonly<Record<string, unknown>>) => void): void;
}

// where this very script came from: plotly.js lies beside it
const here = (document.currentScript as HTMLScriptElement | null)?.src ?? "";
let loaded: Promise<Plotly> | undefined;

/** plotly.js, fetched from the Jupyter server when the first chart is drawn, and once. */
export function loadPlotly(): Promise<Plotly> {
  loaded ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("plotly.js", here).href;
    script.onload = () => resolve((globalThis as unknown as { Plotly: Plotly }).Plotly);
    script.onerror = () => {
      loaded = undefined;
      reject(new Error(`plotly.js could not be loaded from ${script.src}`));
    };
    document.head.append(script);
  });
  return loaded;
}
