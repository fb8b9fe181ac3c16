import type { Application, Kernel, NotebookTracker } from "./jupyterlab.ts";

export const isMillrace = (kernel: { readonly name: string } | null | undefined): boolean =>
  kernel?.name.startsWith("millrace") === true;

/**
 * Connections that carry comms. Of several connections of a page to one kernel, JupyterLab gives comms to the first only: this finds that of an
 * open notebook, or makes one of its own and keeps it.
 */
export class KernelConnections {
  readonly #app: Application;
  readonly #tracker: NotebookTracker;
  readonly #own = new Map<string, Kernel>();

  constructor(app: Application, tracker: NotebookTracker) {
    this.#app = app;
    this.#tracker = tracker;
  }

  to({ id, name }: { readonly id: string; readonly name: string }): Kernel {
    let found: Kernel | undefined;
    this.#tracker.forEach(({ sessionContext: { session } }) => {
      if (session?.kernel?.id === id && session.kernel.handleComms) found = session.kernel;
    });
    if (found !== undefined) return found;
    const own = this.#own.get(id);
    if (own !== undefined && !own.isDisposed) return own;
    const made = this.#app.serviceManager.kernels.connectTo({ model: { id, name }, handleComms: true });
    this.#own.set(id, made);
    return made;
  }

  /** Lets go of kernels that are no longer. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const [id, kernel] of this.#own) {
      if (ids.has(id)) continue;
      this.#own.delete(id);
      kernel.dispose();
    }
  }
}
