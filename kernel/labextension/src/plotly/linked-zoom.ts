import type { PlotElement, Plotly } from "./load-plotly.ts";

const groups = new Map<string, Set<PlotElement>>();
/** Charts that are being zoomed because another one was. */
const following = new WeakSet<PlotElement>();

/** Charts of one link zoom together across: what one shows of its x axis the others show too. Returns how to leave. */
export function linkZoom(plotly: Plotly, plot: PlotElement, link: string): () => void {
  const group = groups.get(link) ?? new Set();
  groups.set(link, group.add(plot));
  plot.on?.("plotly_relayout", (changes) => {
    if (following.has(plot)) return;
    const zoom = xZoom(changes);
    if (zoom === undefined) return;
    for (const other of groups.get(link) ?? []) {
      if (other === plot) continue;
      following.add(other);
      void plotly.relayout(other, zoom).finally(() => following.delete(other));
    }
  });
  return () => {
    group.delete(plot);
    if (group.size === 0) groups.delete(link);
  };
}

function xZoom(changes: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  if (changes["xaxis.autorange"] === true) return { "xaxis.autorange": true };
  const range = changes["xaxis.range"] as unknown[] | undefined;
  const [from, to] = [changes["xaxis.range[0]"] ?? range?.[0], changes["xaxis.range[1]"] ?? range?.[1]];
  return from === undefined || to === undefined ? undefined : { "xaxis.range": [from, to] };
}
