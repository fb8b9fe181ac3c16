import { element } from "../element.ts";
import type { Application, Widget } from "../jupyterlab.ts";
import type { KernelConnections } from "../kernel-connections.ts";
import type { Shared } from "../shared.ts";
import { KernelChannels } from "./kernel-channels.ts";
import { type Stream, StreamItem } from "./stream-item.ts";

const REFRESH = 3000;

/** The live streams of all notebooks: whose they are, how fast, how far behind, what they hold, and a way to stop each. */
export function streamsPanel({ Widget }: Shared, app: Application, connections: KernelConnections): Widget {
  const list = element("ul", { class: "mr-list", "aria-label": "running streams" });
  const empty = element(
    "p",
    { class: "mr-empty" },
    "No stream is running. A cell whose last expression is a stream frame starts one.",
  );
  const streams = new Map<string, readonly Stream[]>();
  const items = new Map<string, StreamItem>();
  const channels = new KernelChannels(app, connections, "millrace.streams", (kernel, data) => {
    streams.set(kernel, (data as { streams?: Stream[] } | undefined)?.streams ?? []);
    draw();
  });
  const draw = () => {
    const { sessions } = app.serviceManager;
    const notebooks = new Map([...sessions.running()].map(({ kernel, path }) => [kernel?.id, path]));
    const before = new Map(items);
    items.clear();
    for (const [kernel, each] of streams) {
      for (const stream of each) {
        const { id } = stream;
        const item = before.get(id) ?? new StreamItem(stream, (what) => channels.send(kernel, { do: what, id }));
        before.delete(id);
        items.set(id, item);
        item.show(stream, notebooks.get(kernel));
      }
    }
    for (const { node } of before.values()) node.remove();
    // those that are there stay where they are: a node that is moved loses the focus
    const wanted = [...items.values()].map(({ node }) => node);
    wanted.forEach((node, i) => {
      if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
    });
    empty.hidden = items.size > 0;
  };
  const refresh = async () => {
    await app.serviceManager.sessions.refreshRunning();
    await channels.refresh();
  };
  const timer = setInterval(() => {
    if (panel.isVisible) void refresh().catch(() => {});
  }, REFRESH);
  const node = element("div", { class: "mr-panel" }, element("h2", {}, "Streams"), empty, list);
  const panel = new Widget({ node });
  panel.id = "millrace-streams";
  panel.title.caption = "Millrace: running streams";
  panel.title.label = "Streams";
  panel.disposed.connect(() => {
    clearInterval(timer);
    channels.close();
  });
  return panel;
}
