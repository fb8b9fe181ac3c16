import type { Application, Comm } from "../jupyterlab.ts";
import { isMillrace, type KernelConnections } from "../kernel-connections.ts";

/** One channel to a target of every running Millrace kernel, also of notebooks that are not open here. */
export class KernelChannels {
  readonly #app: Application;
  readonly #connections: KernelConnections;
  readonly #target: string;
  readonly #received: (kernel: string, data: unknown) => void;
  readonly #open = new Map<string, Comm>();

  constructor(
    app: Application,
    connections: KernelConnections,
    target: string,
    received: (kernel: string, data: unknown) => void,
  ) {
    this.#app = app;
    this.#connections = connections;
    this.#target = target;
    this.#received = received;
  }

  /** Follows kernels that came and went, and asks those again that had nothing to tell. */
  async refresh(): Promise<void> {
    const { kernels } = this.#app.serviceManager;
    await kernels.refreshRunning();
    const running = new Map([...kernels.running()].filter(isMillrace).map((each) => [each.id, each]));
    this.#connections.keepOnly(new Set(running.keys()));
    for (const [id, comm] of this.#open) if (!running.has(id) || comm.isDisposed) this.#forget(id);
    for (const [id, model] of running)
      if (!this.#open.has(id)) this.#connect(id, this.#connections.to(model).createComm(this.#target));
  }

  send(kernel: string, data: unknown): void {
    this.#open.get(kernel)?.send(data);
  }

  close(): void {
    for (const comm of this.#open.values()) if (!comm.isDisposed) comm.close();
    this.#open.clear();
  }

  #connect(id: string, comm: Comm): void {
    this.#open.set(id, comm);
    comm.onMsg = ({ content }) => this.#received(id, content.data);
    // a kernel without such a target (nothing was live yet) closes the channel
    comm.onClose = () => this.#forget(id);
    comm.open({});
  }

  #forget(id: string): void {
    this.#open.delete(id);
    this.#received(id, undefined);
  }
}
