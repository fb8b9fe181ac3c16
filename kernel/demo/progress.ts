/** Numbered steps on stderr, each with its time; a long step says that it is still at it. */
export class Progress {
  readonly #started = Date.now();
  #step = 0;
  readonly #steps: number;

  constructor(steps: number) {
    this.#steps = steps;
  }

  get seconds(): number {
    return Math.round((Date.now() - this.#started) / 100) / 10;
  }

  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    this.#step++;
    const label = `[${this.#step}/${this.#steps}]`;
    console.error(`\n${label} ${title} …`);
    const begun = Date.now();
    const alive = setInterval(
      () => this.note(`still at it after ${Math.round((Date.now() - begun) / 1000)} s`),
      10_000,
    );
    try {
      return await work();
    } finally {
      clearInterval(alive);
    }
  }

  note(line: string): void {
    for (const part of line.trimEnd().split("\n")) console.error(`      ${part}`);
  }
}
