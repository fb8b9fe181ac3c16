import { button, element } from "../element.ts";
import type { Application, Widget } from "../jupyterlab.ts";
import type { KernelConnections } from "../kernel-connections.ts";
import type { Shared } from "../shared.ts";
import { KernelChannels } from "./kernel-channels.ts";

interface Stream {
  readonly id: string;
  readonly title: string;
  readonly status: {
    state: string;
    rate: number;
    lag: number;
    late: number;
    badRecords: number;
    kept: number;
    rowsOut: number;
  };
}

const REFRESH = 3000;
const number = (value: number) => Math.round(value).toLocaleString("en");

/** The live streams of all notebooks: how fast, how far behind, and a way to stop each. */
export function streamsPanel({ Widget }: Shared, app: Application, connections: KernelConnections): Widget {
  const list = element("ul", { class: "mr-list", "aria-label": "running streams" });
  const empty = element(
    "p",
    { class: "mr-empty" },
    "No stream is running. A cell whose last expression is a stream frame starts one.",
  );
  const streams = new Map<string, readonly Stream[]>();
  const channels = new KernelChannels(app, connections, "millrace.streams", (kernel, data) => {
    streams.set(kernel, (data as { streams?: Stream[] } | undefined)?.streams ?? []);
    draw();
  });
  const draw = () => {
    const all = [...streams].flatMap(([kernel, each]) => each.map((stream) => ({ kernel, stream })));
    empty.hidden = all.length > 0;
    list.replaceChildren(
      ...all.map(({ kernel, stream: { id, title, status } }) => {
        const paused = status.state === "paused";
        const act = (what: string) => () => channels.send(kernel, { do: what, id });
        return element(
          "li",
          {},
          element("b", {}, title),
          element("small", {}, `${status.state} · ${number(status.rate)} records/s · lag ${number(status.lag)}`),
          element(
            "small",
            {},
            `${number(status.rowsOut)} rows${status.late > 0 ? ` · ${number(status.late)} late` : ""}${status.badRecords > 0 ? ` · ${number(status.badRecords)} bad` : ""}`,
          ),
          element(
            "span",
            {},
            button(
              paused ? "Resume" : "Pause",
              `${paused ? "resume" : "pause"} ${title}`,
              act(paused ? "resume" : "pause"),
            ),
            button("Stop", `stop ${title}`, act("stop")),
          ),
        );
      }),
    );
  };
  const refresh = () => void channels.refresh().catch(() => {});
  const timer = setInterval(() => {
    if (panel.isVisible) refresh();
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
