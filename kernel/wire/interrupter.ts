import { Session } from "node:inspector";
import { descendants, signal } from "./child-processes.ts";

/** How long the thread that runs cells may stay silent before its script is terminated, in ms. */
const PATIENCE = 200;
const ATTEMPTS = 50;
/** After so many attempts in vain the thread is probably waiting for a child process (`execSync`), which is asked to stop, then told to. */
const CHILDREN_AFTER = 3;
const CHILDREN_FIRMLY_AFTER = 12;

/**
 * Stops what the main thread does, from this thread. First it is asked to end the running cell; when it does not even answer, its script is terminated through
 * an inspector session. That works after an `await` too, leaves every variable as it is, and `catch` and `finally` of the user's code do not run.
 */
export class Interrupter {
  readonly #ask: (id: number) => void;
  readonly #waiting = new Map<number, () => void>();
  #session: Session | undefined;
  #lastId = 0;

  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  /** The main thread answered: it is not blocked (any more). */
  answered(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
    this.#session?.disconnect();
    this.#session = undefined;
  }

  /** Resolves once the main thread takes note. */
  async interrupt(): Promise<void> {
    const id = ++this.#lastId;
    let answered = false;
    const answer = new Promise<void>((resolve) =>
      this.#waiting.set(id, () => {
        answered = true;
        resolve();
      }),
    );
    this.#ask(id);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
      if (answered) return;
      this.#terminate();
      // What was terminated may be the answer itself, with a listener that does not end.
      this.#ask(id);
      if (attempt >= CHILDREN_AFTER)
        for (const child of descendants()) signal(child, attempt < CHILDREN_FIRMLY_AFTER ? "SIGINT" : "SIGTERM");
    }
  }

  #terminate(): void {
    if (this.#session === undefined) {
      this.#session = new Session();
      this.#session.connectToMainThread();
    }
    this.#session.post("Runtime.terminateExecution");
  }
}
