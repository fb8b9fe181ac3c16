import { button, element } from "../element.ts";
import type { Application, Comm, NotebookPanel } from "../jupyterlab.ts";
import { isMillrace, type KernelConnections } from "../kernel-connections.ts";
import { saverOf } from "../save-notebook.ts";
import type { Shared } from "../shared.ts";

type Answer = { html: string } | { said: string } | { folder: string; files: readonly string[] } | { error: string };

/** The report of what promotion keeps and drops, and one click to the job's files. */
export function openPromotePanel(
  { Widget }: Shared,
  app: Application,
  connections: KernelConnections,
  notebook: NotebookPanel,
): void {
  const said = element("pre", { class: "mr-said mr-plain", role: "status" });
  const page = element("iframe", { class: "mr-report", title: "what promotion keeps and drops", sandbox: "" });
  const files = element("ul", { class: "mr-list", "aria-label": "files of the job" });
  const write = button("write the job folder", "promote this notebook to a job folder beside it", () => void promote());
  const again = button("look again", "look at the notebook again", () => void look("looking at the notebook …"));
  const cancel = button("Cancel", "cancel the promotion", () => job.send({ do: "cancel" }));
  cancel.hidden = true;
  const node = element(
    "div",
    { class: "mr-panel mr-promote" },
    element("h2", {}, `Promote ${notebook.context.path}`, write, again, cancel),
    said,
    files,
    page,
  );
  const panel = new Widget({ node });
  panel.id = `millrace-promote-${Date.now()}`;
  panel.title.label = "Promotion";
  panel.title.closable = true;
  app.shell.add(panel, "main");
  app.shell.activateById(panel.id);

  const tell = (text: string, failed = false) => {
    said.textContent = text;
    said.classList.toggle("mr-plain", !failed);
  };
  /** A channel to the notebook's kernel as it is now: a restart, by which notebooks are often mended, closes those before it. */
  const channel = (answered: (answer: Answer) => void) => {
    let comm: Comm | undefined;
    panel.disposed.connect(() => comm?.isDisposed === false && comm.close());
    const opened = (): Comm | undefined => {
      const kernel = notebook.sessionContext.session?.kernel;
      if (comm?.isDisposed === false || !kernel || !isMillrace(kernel)) return comm;
      comm = connections.to(kernel).createComm("millrace.promote");
      comm.onMsg = ({ content }) => answered(content.data as Answer);
      comm.open({});
      return comm;
    };
    return {
      isOpen: () => comm?.isDisposed === false,
      send: (data: unknown) => void opened()?.send(data),
    };
  };
  const save = saverOf(notebook);
  const ask = async (comm: ReturnType<typeof channel>, what: "explain" | "write") => {
    const failed = (text: string) => {
      ended();
      tell(text, true);
      return false;
    };
    try {
      await save();
    } catch (error) {
      return failed(`This notebook was not saved (${(error as Error).message}): save it, and try again.`);
    }
    comm.send({ do: what, path: notebook.context.path });
    if (comm.isOpen()) return true;
    return failed("This notebook has no running Millrace kernel: start one, run the notebook, and try again.");
  };

  /** What is on screen only while it is looked for. */
  let looking = "";
  const report = channel((answer) => {
    if ("html" in answer) page.srcdoc = answer.html;
    if ("error" in answer) tell(answer.error, true);
    else if (said.textContent === looking) tell("");
  });
  const look = (saying = "") => {
    looking = saying;
    if (saying !== "") tell(saying);
    return ask(report, "explain");
  };

  /** What the command last said, with how long it has been at work. */
  let stage: string;
  let began: number;
  let timer: ReturnType<typeof setInterval> | undefined;
  const tellStage = () => {
    tell(`promoting, ${Math.round((performance.now() - began) / 1000)} s: ${stage}`);
    if (job.isOpen()) return;
    ended();
    tell("The kernel was restarted in the middle of the promotion: try again.", true);
  };
  const ended = () => {
    clearInterval(timer);
    cancel.hidden = true;
    write.disabled = again.disabled = false;
  };
  panel.disposed.connect(ended);
  const opener = (path: string, file: string) =>
    button(file, `open ${file}`, () => void app.commands.execute("docmanager:open", { path }));
  const job = channel((answer) => {
    if ("said" in answer) {
      stage = answer.said;
      return tellStage();
    }
    ended();
    if ("error" in answer) tell(answer.error, true);
    else if ("folder" in answer) {
      tell(`written to ${answer.folder}`);
      files.replaceChildren(...answer.files.map((file) => element("li", {}, opener(`${answer.folder}/${file}`, file))));
    }
    void look(); // the notebook may have changed since
  });
  const promote = async () => {
    stage = "beginning …";
    began = performance.now();
    write.disabled = again.disabled = true;
    cancel.hidden = false;
    tell(`promoting: ${stage}`);
    if (await ask(job, "write")) timer = setInterval(tellStage, 1000);
  };
  void look("looking at the notebook …");
}
