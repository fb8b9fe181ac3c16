import { button, element } from "../element.ts";
import type { Comm, NotebookPanel, NotebookTracker, Widget } from "../jupyterlab.ts";
import { isMillrace, type KernelConnections } from "../kernel-connections.ts";
import type { Shared } from "../shared.ts";

interface TopicDetails {
  readonly name: string;
  readonly partitions: readonly { readonly partition: number; readonly first: number; readonly end: number }[];
  readonly schema: Readonly<Record<string, string>>;
  readonly sample: readonly Readonly<Record<string, string>>[];
  readonly keyed: boolean;
  readonly cell: string;
}

type Answer = { topics: readonly string[]; servers: string } | { topic: TopicDetails } | { error: string };

/** The topics of the broker that the current notebook's kernel is connected to: partitions, offsets, sample rows, schema, and a cell that reads one. */
export function topicsPanel({ Widget }: Shared, tracker: NotebookTracker, connections: KernelConnections): Widget {
  const search = element("input", {
    class: "mr-input mr-wide",
    type: "search",
    placeholder: "search topics",
    "aria-label": "search topics",
  });
  const list = element("ul", { class: "mr-list mr-topics", "aria-label": "topics" });
  const said = element("p", { class: "mr-empty", role: "status" });
  const details = element("div", { class: "mr-details" });
  let topics: readonly string[] = [];
  let comm: Comm | undefined;

  const draw = () => {
    const wanted = search.value.toLowerCase();
    list.replaceChildren(
      ...topics
        .filter((name) => name.toLowerCase().includes(wanted))
        .map((name) =>
          element(
            "li",
            {},
            button(name, `show ${name}`, () => describe(name)),
          ),
        ),
    );
  };
  const describe = (name: string) => {
    said.textContent = `reading a sample of ${name} …`;
    comm?.send({ describe: name });
  };
  search.addEventListener("input", draw);

  const show = (panel: NotebookPanel, topic: TopicDetails) => {
    said.textContent = "";
    const columns = Object.entries(topic.schema);
    const records = topic.partitions.reduce((sum, { first, end }) => sum + end - first, 0);
    details.replaceChildren(
      element("h3", {}, topic.name),
      element("p", {}, `${topic.partitions.length} partitions, ${records.toLocaleString("en")} offsets kept`),
      button("insert a cell", `insert a cell that reads ${topic.name}`, () => insert(panel, topic.cell)),
      table(
        ["partition", "first", "end"],
        topic.partitions.map(({ partition, first, end }) => [partition, first, end].map(String)),
      ),
      element("h4", {}, "Schema, inferred from a sample"),
      table(["column", "dtype"], columns),
      element("h4", {}, "Latest rows"),
      table(
        columns.map(([name]) => name),
        topic.sample.map((row) => columns.map(([name]) => row[name] ?? "null")),
      ),
    );
  };

  const connect = async () => {
    if (comm !== undefined && !comm.isDisposed) comm.close();
    comm = undefined;
    topics = [];
    draw();
    details.replaceChildren();
    const panel = tracker.currentWidget;
    said.textContent = "Open a notebook with the Millrace kernel to see the topics of its broker.";
    if (panel === null) return;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session?.kernel;
    if (!kernel || !isMillrace(kernel) || tracker.currentWidget !== panel) return;
    const opened = connections.to(kernel).createComm("millrace.topics");
    comm = opened;
    said.textContent = "asking the broker …";
    opened.onMsg = ({ content }) => {
      const answer = content.data as Answer;
      if ("error" in answer) said.textContent = answer.error;
      else if ("topic" in answer) show(panel, answer.topic);
      else {
        topics = answer.topics;
        said.textContent = topics.length === 0 ? `${answer.servers} has no topics.` : answer.servers;
        draw();
      }
    };
    opened.open({});
    opened.send({ list: true });
  };
  tracker.currentChanged.connect(() => void connect());

  const node = element(
    "div",
    { class: "mr-panel" },
    element(
      "h2",
      {},
      "Topics",
      button("Refresh", "refresh topics", () => void connect()),
    ),
    search,
    said,
    list,
    details,
  );
  const panel = new Widget({ node });
  panel.id = "millrace-topics";
  panel.title.caption = "Millrace: topics";
  panel.title.label = "Topics";
  void connect();
  return panel;
}

const IMPORTS_TOPIC = /\bimport\s*\{[^}]*\btopic\b(?!\s+as\b)[^}]*\}\s*from\s*["']millrace["']/;

/** A new cell below the active one, which can be run as it is: it brings what no other cell imports. */
function insert({ content }: NotebookPanel, source: string): void {
  const notebook = content.model?.sharedModel;
  const imported = notebook?.cells.some((cell) => IMPORTS_TOPIC.test(cell.getSource()));
  const needed = imported ? "" : 'import { topic } from "millrace";\n';
  notebook?.insertCell(content.activeCellIndex + 1, { cell_type: "code", source: needed + source });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  const cells = (tag: "th" | "td", texts: readonly string[]) => texts.map((text) => element(tag, {}, text));
  return element(
    "div",
    { class: "mr-table" },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...cells("th", head))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells("td", row)))),
    ),
  );
}
