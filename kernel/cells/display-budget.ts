import type { MimeBundle } from "../../lib/run/host.ts";

/** So many outputs of one cell are shown; front ends and the saved notebook keep every one. `MILLRACE_DISPLAY_LIMIT` sets another number. */
const MOST_DISPLAYS = 10_000;
/** Together they may be so large, in characters. */
const MOST_CHARACTERS = 256 * 1024 * 1024;

/**
 * Lets a cell show so much and no more, as `OutputBudget` does with text: a loop that displays for ever must not fill the notebook. What is not shown is
 * counted, and said as there. Updates of a display take nothing: they replace.
 */
export class DisplayBudget {
  readonly #say: (text: string) => void;
  readonly #most = Number(process.env.MILLRACE_DISPLAY_LIMIT) || MOST_DISPLAYS;
  #displays = 0;
  #characters = 0;
  #cut = 0;
  #said: number | undefined;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Whether there is room for one more. */
  take(bundle: MimeBundle): boolean {
    if (this.#cut === 0 && this.#displays < this.#most && this.#characters < MOST_CHARACTERS) {
      this.#displays++;
      this.#characters += lengthOf(bundle);
      return true;
    }
    if (this.#cut++ === 0)
      this.#say(
        `\n… no more is displayed by this cell after ${this.#displays} outputs (show another in the place of one: const shown = display(a); shown.update(b); or set MILLRACE_DISPLAY_LIMIT)\n`,
      );
    if (this.#said !== undefined && this.#cut >= 2 * Math.max(this.#said, this.#most)) this.report();
    return false;
  }

  /** The cell's output was cleared: there is room again. */
  clear(): void {
    this.#displays = this.#characters = this.#cut = 0;
    if (this.#said !== undefined) this.#said = 0;
  }

  /** Says how much was not shown so far, unless that has been said: at the end of the cell. */
  report(): void {
    const said = this.#said ?? 0;
    this.#said = this.#cut;
    if (this.#cut > said) this.#say(`… ${this.#cut} outputs were not displayed\n`);
  }
}

function lengthOf(bundle: MimeBundle): number {
  let length = 0;
  for (const data of Object.values(bundle)) length += (typeof data === "string" ? data : JSON.stringify(data)).length;
  return length;
}
