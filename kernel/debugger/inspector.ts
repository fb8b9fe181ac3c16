import { Session } from "node:inspector";

/** V8's inspector of the thread that runs cells, seen from another: it answers also while that thread stands at a breakpoint. */
export class Inspector {
  readonly #session = new Session();

  constructor() {
    this.#session.connectToMainThread();
  }

  // The parameters and results are those of V8's protocol, https://chromedevtools.github.io/devtools-protocol/v8/
  send(method: string, parameters: Record<string, unknown> = {}): Promise<any> {
    return new Promise((resolve, reject) =>
      this.#session.post(method, parameters, (error, result) =>
        error === null ? resolve(result) : reject(new Error(`${method}: ${error.message}`)),
      ),
    );
  }

  on(event: string, handle: (parameters: any) => void): void {
    this.#session.on(event, ({ params }: { params: unknown }) => handle(params));
  }

  close(): void {
    this.#session.disconnect();
  }
}
