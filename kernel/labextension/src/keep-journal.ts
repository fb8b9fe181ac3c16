import type { Kernel, NotebookPanel } from "./jupyterlab.ts";

/**
 * Keeps the kernel's record of each execution in the cell's metadata, where promotion finds it also for cells that show nothing. The kernel
 * sends it with its reply; which cell asked is in the request.
 */
export function keepJournal(notebook: NotebookPanel): void {
  const context = notebook.sessionContext;
  const asked = new Map<string, string>();
  let followed: Kernel | undefined;
  const follow = () => {
    const kernel = context.session?.kernel ?? undefined;
    if (kernel === undefined || kernel === followed) return;
    followed = kernel;
    kernel.anyMessage.connect((_, { direction, msg }) => {
      const { header, parent_header, metadata } = msg;
      if (direction === "send" && header.msg_type === "execute_request" && typeof metadata.cellId === "string")
        asked.set(header.msg_id, metadata.cellId);
      if (direction !== "recv" || header.msg_type !== "execute_reply") return;
      const id = asked.get(parent_header.msg_id ?? "");
      asked.delete(parent_header.msg_id ?? "");
      if (id === undefined || metadata.millrace === undefined) return;
      for (const cell of notebook.content.model?.cells ?? [])
        if (cell.id === id) cell.setMetadata("millrace", metadata.millrace);
    });
  };
  context.kernelChanged.connect(follow);
  void context.ready.then(follow);
}
