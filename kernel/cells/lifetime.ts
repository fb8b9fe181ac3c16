/**
 * What a cell has opened, to be closed when it is re-run, deleted or interrupted, and when the kernel stops. `signal` is what user code and the
 * library listen to; timers and the like are closed by `onEnd`.
 */
export class Lifetime {
  readonly #controller = new AbortController();
  readonly #closers = new Set<() => void>();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Calls `close` at the end; the function returned takes it back. At once when the end has come. */
  onEnd(close: () => void): () => void {
    if (this.signal.aborted) {
      close();
      return () => {};
    }
    this.#closers.add(close);
    return () => this.#closers.delete(close);
  }

  end(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    for (const close of this.#closers) close();
    this.#closers.clear();
  }
}
