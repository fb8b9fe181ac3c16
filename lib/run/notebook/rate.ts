/** Events per second over the last few seconds. */
export class Rate {
  static readonly #WINDOW = 3000;
  readonly #started = performance.now();
  #events: { at: number; count: number }[] = [];

  add(count: number): void {
    const at = performance.now();
    if (count > 0) this.#events.push({ at, count });
    while (this.#events.length > 0 && this.#events[0]!.at < at - Rate.#WINDOW) this.#events.shift();
  }

  perSecond(): number {
    const now = performance.now();
    const recent = this.#events.filter(({ at }) => at >= now - Rate.#WINDOW);
    const span = Math.min(Rate.#WINDOW, Math.max(250, now - this.#started));
    return (recent.reduce((sum, { count }) => sum + count, 0) / span) * 1000;
  }
}
