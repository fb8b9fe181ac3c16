import { once } from "node:events";

/**
 * Lines to standard output at the reader's pace. A reader that has gone (`| head`) is no error: `closed` is true from then on, and what is
 * written after it goes nowhere.
 */
export class LinesOut {
  #closed = false;
  readonly #failed = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    this.#closed = true;
  };

  constructor() {
    process.stdout.on("error", this.#failed);
  }

  get closed(): boolean {
    return this.#closed;
  }

  async write(line: string): Promise<void> {
    if (this.#closed || process.stdout.write(`${line}\n`)) return;
    // the error that ends the waiting is seen by the listener above
    await once(process.stdout, "drain").catch(() => {});
  }
}
