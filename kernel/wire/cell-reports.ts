import type { Interpreter } from "../cells/interpreter.ts";
import type { FromCells } from "./bridge.ts";

/** Tells the debugger in the protocol thread of each cell before it runs, and lets it run once the breakpoints are set. */
export class CellReports {
  readonly #interpreter: Interpreter;
  readonly #send: (message: FromCells) => void;
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor(interpreter: Interpreter, send: (message: FromCells) => void) {
    this.#interpreter = interpreter;
    this.#send = send;
  }

  watch(on: boolean): void {
    if (on) {
      for (const cell of this.#interpreter.loadedCells()) this.#send({ kind: "loaded", cell });
      this.#interpreter.onLoaded = (cell) =>
        new Promise((run) => {
          const id = ++this.#lastId;
          this.#waiting.set(id, run);
          this.#send({ kind: "loaded", id, cell });
        });
      return;
    }
    this.#interpreter.onLoaded = undefined;
    for (const id of this.#waiting.keys()) this.noted(id);
  }

  noted(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
