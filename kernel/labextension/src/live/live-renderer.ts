import type { Kernel, RendererFactory, RenderModel, SessionContext, Widget } from "../jupyterlab.ts";
import type { KernelConnections } from "../kernel-connections.ts";
import type { Shared } from "../shared.ts";
import { kernelOf, LiveComm, type LivePicture, whenKernelGoes } from "./live-comm.ts";
import { LiveTable } from "./live-table.ts";

const MIME = "application/vnd.millrace.live+json";

/**
 * Renders live frames of one notebook: with its kernel at hand a table that asks it for rows, otherwise the snapshot saved with the notebook.
 * An output that is drawn again (a page reload, another view) finds its frame by id.
 */
export function liveRenderer(
  { Widget }: Shared,
  context: SessionContext,
  connections: KernelConnections,
): RendererFactory {
  class LiveOutput extends Widget {
    #id: string | undefined;
    #kernel: Kernel | undefined;
    #comm: LiveComm<LivePicture> | undefined;
    #snapshot = "";
    /** A picture of the kernel's has come: until then what is shown are the snapshots. */
    #drawn = false;
    readonly #unlisten = whenKernelGoes(context, () => this.#gone());

    async renderModel({ data }: RenderModel): Promise<void> {
      const { id, title } = data[MIME] as { id: string; title: string };
      this.#snapshot = String(data["text/html"] ?? data["text/plain"] ?? "");
      const kernel = await kernelOf(context);
      if (id === this.#id && kernel === this.#kernel) {
        if (this.#comm === undefined || !this.#drawn) this.#showSnapshot();
        return;
      }
      this.#comm?.close();
      this.#id = id;
      this.#kernel = kernel;
      this.#comm = undefined;
      this.#drawn = false;
      if (kernel === undefined || this.isDisposed) return this.#showSnapshot();
      const table = new LiveTable(title, (message) => this.#comm?.send(message));
      this.#comm = new LiveComm<LivePicture>(connections.to(kernel), "millrace.live", id, {
        picture: (picture, rows) => {
          this.#drawn = true;
          if (table.node.parentNode !== this.node) this.node.replaceChildren(table.node);
          table.show(picture, rows);
        },
        error: (message) => table.say(message),
        refused: (message) => table.refuse(message),
        gone: () => this.#gone(),
      });
      if (table.node.parentNode === null) this.#showSnapshot();
    }

    #gone(): void {
      const comm = this.#comm;
      if (comm === undefined) return;
      this.#comm = undefined; // first: to close it says that it is gone
      comm.close();
      this.#showSnapshot();
    }

    /** Made by the library from escaped text, without script. */
    #showSnapshot(): void {
      this.node.innerHTML = this.#snapshot;
    }

    override dispose(): void {
      this.#unlisten();
      this.#comm?.close();
      super.dispose();
    }
  }
  return {
    safe: true,
    mimeTypes: [MIME],
    defaultRank: 40, // before text/html
    createRenderer: () => {
      const output = new LiveOutput();
      output.addClass("mr-output");
      return output as Widget & { renderModel(model: RenderModel): Promise<void> };
    },
  };
}
