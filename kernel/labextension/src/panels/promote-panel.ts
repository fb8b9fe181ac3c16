import { button, element } from "../element.ts";
import type { Application, Comm, NotebookPanel } from "../jupyterlab.ts";
import { isMillrace, type KernelConnections } from "../kernel-connections.ts";
import type { Shared } from "../shared.ts";

type Answer = { html: string } | { said: string } | { folder: string; files: readonly string[] } | { error: string };

/** The report of what promotion keeps and drops, and one click to the job's files. */
export function openPromotePanel(
  { Widget }: Shared,
  app: Application,
  connections: KernelConnections,
  notebook: NotebookPanel,
): void {
  const said = element("pre", { class: "mr-said mr-plain", role: "status" }, "looking at the notebook …");
  const report = element("iframe", { class: "mr-report", title: "what promotion keeps and drops", sandbox: "" });
  const files = element("ul", { class: "mr-list", "aria-label": "files of the job" });
  const write = button("write the job folder", "promote this notebook to a job folder beside it", () => void promote());
  const cancel = button("Cancel", "cancel the promotion", () => comm?.send({ do: "cancel" }));
  cancel.hidden = true;
  let comm: Comm | undefined;
  const node = element(
    "div",
    { class: "mr-panel mr-promote" },
    element("h2", {}, `Promote ${notebook.context.path}`, write, cancel),
    said,
    files,
    report,
  );
  const panel = new Widget({ node });
  panel.id = `millrace-promote-${Date.now()}`;
  panel.title.label = "Promotion";
  panel.title.closable = true;
  app.shell.add(panel, "main");
  app.shell.activateById(panel.id);

  const kernel = notebook.sessionContext.session?.kernel;
  if (!kernel || !isMillrace(kernel)) {
    said.textContent = "This notebook has no running Millrace kernel: start one, run the notebook, and try again.";
    return;
  }
  comm = connections.to(kernel).createComm("millrace.promote");
  const opened = comm;
  panel.disposed.connect(() => {
    ended();
    if (!opened.isDisposed) opened.close();
  });
  /** What the command last said, with how long it has been at work. */
  let stage = "";
  let began = 0;
  const tell = () => {
    said.textContent = `promoting, ${Math.round((performance.now() - began) / 1000)} s: ${stage}`;
  };
  let timer: ReturnType<typeof setInterval> | undefined;
  const ended = () => {
    clearInterval(timer);
    cancel.hidden = true;
    write.disabled = false;
  };
  opened.onMsg = ({ content }) => {
    const answer = content.data as Answer;
    if ("said" in answer) {
      stage = answer.said;
      return tell();
    }
    ended();
    if ("error" in answer) said.textContent = answer.error;
    else if ("html" in answer) {
      said.textContent = "";
      report.srcdoc = answer.html;
    } else {
      said.textContent = `written to ${answer.folder}`;
      files.replaceChildren(
        ...answer.files.map((file) =>
          element(
            "li",
            {},
            button(
              file,
              `open ${file}`,
              () => void app.commands.execute("docmanager:open", { path: `${answer.folder}/${file}` }),
            ),
          ),
        ),
      );
    }
  };
  const ask = async (what: "explain" | "write") => {
    await notebook.context.save();
    opened.send({ do: what, path: notebook.context.path });
  };
  const promote = async () => {
    stage = "beginning …";
    began = performance.now();
    write.disabled = true;
    cancel.hidden = false;
    tell();
    timer = setInterval(tell, 1000);
    await ask("write");
  };
  opened.open({});
  void ask("explain");
}
