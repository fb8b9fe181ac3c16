const DEFAULT_LIMIT = 4 * 1024 * 1024;

/**
 * Lets a cell write so much text and no more: a cell that prints for ever must fill neither the notebook nor the kernel's memory. What is cut is
 * counted, and said once at the cut and again when the cell ends; after that, for timers and streams, each time it has doubled.
 */
export class OutputBudget {
  readonly #limit: number;
  readonly #send: (name: "stdout" | "stderr", text: string) => void;
  #sent = 0;
  #cutCharacters = 0;
  #cutLines = 0;
  #said: number | undefined;

  /** @param limit in characters; `MILLRACE_OUTPUT_LIMIT` sets the default */
  constructor(send: (name: "stdout" | "stderr", text: string) => void, limit = limitFromEnvironment()) {
    this.#send = send;
    this.#limit = limit;
  }

  write(name: "stdout" | "stderr", text: string): void {
    const room = this.#limit - this.#sent;
    const shown = text.length <= room ? text : text.slice(0, Math.max(room, 0));
    if (shown !== "") {
      this.#sent += shown.length;
      this.#send(name, shown);
    }
    if (shown.length === text.length) return;
    if (this.#cutCharacters === 0)
      this.#send("stderr", `\n… output cut after ${this.#limit} characters (set MILLRACE_OUTPUT_LIMIT for more)\n`);
    this.#cutCharacters += text.length - shown.length;
    this.#cutLines += countLines(text, shown.length);
    if (this.#said !== undefined && this.#cutCharacters >= 2 * Math.max(this.#said, this.#limit)) this.report();
  }

  /** Says how much was cut so far, unless that has been said: at the end of the cell. */
  report(): void {
    const said = this.#said ?? 0;
    this.#said = this.#cutCharacters;
    if (this.#cutCharacters > said)
      this.#send("stderr", `… ${this.#cutLines} lines (${this.#cutCharacters} characters) were not shown\n`);
  }
}

function countLines(text: string, from: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n", from); at !== -1; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

function limitFromEnvironment(): number {
  const limit = Number(process.env.MILLRACE_OUTPUT_LIMIT);
  return limit > 0 ? limit : DEFAULT_LIMIT;
}
