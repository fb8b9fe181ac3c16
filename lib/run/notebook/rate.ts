/** Seconds of which it is known how many events each had. */
const HISTORY = 60;

/** Events per second over the last few seconds, and how many each second of the last minute had. */
export class Rate {
  static readonly #WINDOW = 3000;
  readonly #now: () => number;
  readonly #started: number;
  #events: { at: number; count: number }[] = [];
  /** Of each second until the one of the last `add`, which is not over. */
  #seconds: number[] = [];
  /** Number of the last of them, since the start. */
  #second = -1;

  /** @param now a clock that only goes forward, ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#started = now();
  }

  add(count: number): void {
    const at = this.#now();
    if (count > 0) this.#events.push({ at, count });
    while (this.#events.length > 0 && this.#events[0]!.at < at - Rate.#WINDOW) this.#events.shift();
    const second = Math.floor((at - this.#started) / 1000);
    const begun = Math.min(second - this.#second, HISTORY + 1);
    if (begun > 0) this.#seconds = [...this.#seconds, ...new Array<number>(begun).fill(0)].slice(-HISTORY - 1);
    this.#second = second;
    this.#seconds[this.#seconds.length - 1]! += count;
  }

  perSecond(): number {
    const now = this.#now();
    const recent = this.#events.filter(({ at }) => at >= now - Rate.#WINDOW);
    const span = Math.min(Rate.#WINDOW, Math.max(250, now - this.#started));
    return (recent.reduce((sum, { count }) => sum + count, 0) / span) * 1000;
  }

  /** Events of each second that is over, a minute of them, the oldest first; of the one that has begun where it is the only one. */
  history(): readonly number[] {
    return this.#seconds.length > 1 ? this.#seconds.slice(0, -1) : this.#seconds;
  }
}
