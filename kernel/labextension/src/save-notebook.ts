import type { NotebookPanel } from "./jupyterlab.ts";

/** How long another's save may take, ms: JupyterLab does not tell when one is cancelled. */
const PATIENCE = 10_000;

const savers = new WeakMap<NotebookPanel, () => Promise<void>>();

/**
 * Saves a notebook once no other save of it is under way: JupyterLab takes what a save beside it has just written for another's change, and asks
 * which of the two to keep. Knows of the saves since it was first asked for.
 *
 * @throws when it cannot be saved, or its user cancels what JupyterLab asks
 */
export function saverOf(notebook: NotebookPanel): () => Promise<void> {
  const known = savers.get(notebook);
  if (known !== undefined) return known;
  const saver = notebookSaver(notebook);
  savers.set(notebook, saver);
  return saver;
}

function notebookSaver({ context }: NotebookPanel): () => Promise<void> {
  let underWay = Promise.resolve();
  let ended = () => {};
  context.saveState.connect((_, state) => {
    ended();
    if (state !== "started") return;
    underWay = new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      ended = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  });
  const save = async () => {
    await underWay;
    await context.save().finally(() => ended());
  };
  let last = Promise.resolve();
  return () => {
    const saved = last.then(save);
    last = saved.catch(() => {});
    return saved;
  };
}
