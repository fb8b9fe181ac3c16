import type { ChildProcess } from "node:child_process";
import { whole } from "./notebook/numbers.ts";

/** How far a long action is. */
export interface AmountDone {
  /** E.g. `replaying`. */
  readonly what: string;
  readonly done: number;
  readonly total: number;
  /** What is counted; records by default. */
  readonly of?: string;
  /** Since it began. */
  readonly seconds: number;
}

/** `replaying: 40,000 of 100,000 records, 20,000 records/s, 3 s left` */
export function amountText({ what, done, total, of = "records", seconds }: AmountDone): string {
  const rate = done / Math.max(0.001, seconds);
  const left = done > 0 && done < total ? `, ${timeLeft((total - done) / rate)} left` : "";
  return `${what}: ${whole(done)} of ${whole(total)} ${of}, ${whole(rate)} ${of}/s${left}`;
}

/** `40 s`, `3 min` */
export const timeLeft = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;

const EVERY = 250;

/** Tells the process that started this one, where it listens, how far an action is. */
export class AmountTeller {
  readonly #what: string;
  readonly #total: number;
  readonly #began = performance.now();
  #told = this.#began;

  constructor(what: string, total: number) {
    this.#what = what;
    this.#total = total;
  }

  update(done: number): void {
    const now = performance.now();
    if (process.send === undefined || !process.connected || now - this.#told < EVERY) return;
    this.#told = now;
    const amount: AmountDone = { what: this.#what, done, total: this.#total, seconds: (now - this.#began) / 1000 };
    process.send({ type: "amount", amount }, undefined, undefined, () => {}); // who started this one may be gone
  }
}

/** How often a long action says how far it is, ms. */
export const TELLING = 2000;

/** Gives a line at most every so many ms of what a child process tells by {@link AmountTeller}. */
export function showAmounts(child: ChildProcess, line: (text: string) => void, every = TELLING): void {
  let shown = performance.now();
  child.on("message", (message: { type?: unknown; amount?: AmountDone } | null) => {
    const now = performance.now();
    if (message?.type !== "amount" || message.amount === undefined || now - shown < every) return;
    shown = now;
    line(amountText(message.amount));
  });
}
