import type { NotebookPanel } from "./jupyterlab.ts";
import { isMillrace, type KernelConnections } from "./kernel-connections.ts";

/** A cell that is moved is gone for a moment, ms. */
const SETTLED = 1000;

/**
 * Tells the kernel of cells that are deleted, so that their live frames end. JupyterLab itself says so only with the next cell that is run, and until
 * then the stream would be read for nobody.
 */
export function closeDeletedCells(notebook: NotebookPanel, connections: KernelConnections): void {
  let known = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const there = () => new Set(Array.from(notebook.content.model?.cells ?? [], ({ id }) => id));
  const look = () => {
    const now = there();
    const closed = [...known].filter((id) => !now.has(id));
    known = now;
    const kernel = notebook.sessionContext.session?.kernel;
    if (closed.length === 0 || notebook.isDisposed || !kernel || !isMillrace(kernel)) return;
    const comm = connections.to(kernel).createComm("millrace.cells");
    comm.open({ closed });
    comm.close();
  };
  void notebook.context.ready.then(() => {
    known = there();
    notebook.content.model?.cells.changed.connect((_, { type }) => {
      for (const id of there()) known.add(id);
      if (type !== "remove" && type !== "clear") return;
      clearTimeout(timer);
      timer = setTimeout(look, SETTLED);
    });
  });
  notebook.disposed.connect(() => clearTimeout(timer));
}
