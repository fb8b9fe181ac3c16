import { button, element } from "../element.ts";
import type { Application, NotebookPanel } from "../jupyterlab.ts";
import type { KernelConnections } from "../kernel-connections.ts";
import type { Shared } from "../shared.ts";

type Answer = { html: string } | { folder: string; files: readonly string[] } | { error: string };

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
  const node = element(
    "div",
    { class: "mr-panel mr-promote" },
    element("h2", {}, `Promote ${notebook.context.path}`, write),
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
  if (!kernel?.name.startsWith("millrace")) {
    said.textContent = "This notebook has no running Millrace kernel: start one, run the notebook, and try again.";
    return;
  }
  const comm = connections.to(kernel).createComm("millrace.promote");
  panel.disposed.connect(() => {
    if (!comm.isDisposed) comm.close();
  });
  comm.onMsg = ({ content }) => {
    const answer = content.data as Answer;
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
    comm.send({ do: what, path: notebook.context.path });
  };
  const promote = async () => {
    said.textContent = "promoting …";
    await ask("write");
  };
  comm.open({});
  void ask("explain");
}
