import { timeLeft } from "../amount-done.ts";
import { type DisplayHandle, notebookHost } from "../host.ts";
import { badPanelHtml, badPanelText } from "./bad-panel.ts";
import { escapeHtml } from "./html.ts";
import { whole } from "./numbers.ts";
import type { PlanReader } from "./plan-reader.ts";

/** A read that takes longer says how far it is. */
const QUIET = 1000;
const EVERY = 500;

/** Says how far a bounded read is, in the cell; and at its end which records were bad. Without a notebook only the latter, on stderr. */
export class Progress {
  readonly #what: string;
  readonly #reader: PlanReader;
  readonly #started = performance.now();
  #handle: DisplayHandle | undefined;
  #last = this.#started - EVERY + QUIET;

  constructor(what: string, reader: PlanReader) {
    this.#what = what;
    this.#reader = reader;
  }

  update(): void {
    if (notebookHost() === undefined) return;
    const now = performance.now();
    if (now - this.#last < EVERY) return;
    this.#last = now;
    this.#show();
  }

  end(): void {
    if (this.#handle !== undefined || this.#reader.counts.bad > 0) this.#show();
  }

  #show(): void {
    const host = notebookHost();
    const { records, total, lag, bad } = this.#reader.counts;
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = records / Math.max(0.001, seconds);
    const share = total === 0 ? 1 : (total - lag) / total;
    const line =
      `${this.#what}: ${whole(total - lag)} of ${whole(total)} offsets, ${whole(records)} records in ${seconds.toFixed(1)} s` +
      `, ${whole(rate)} records/s${lag > 0 && share > 0 ? `, ${timeLeft((seconds / share) * (1 - share))} left` : ""}`;
    const text = [line, ...badPanelText(bad, this.#reader.bad)].join("\n");
    if (host === undefined) {
      if (bad > 0) process.stderr.write(`${text}\n`);
      return;
    }
    const bar =
      lag > 0 && total > 0
        ? `<progress value="${total - lag}" max="${total}" aria-label="${escapeHtml(this.#what)}"></progress> `
        : "";
    const html = `<div role="status">${bar}${escapeHtml(line)}</div>${badPanelHtml(bad, this.#reader.bad)}`;
    const bundle = { "text/html": html, "text/plain": text };
    if (this.#handle === undefined) this.#handle = host.display(bundle);
    else this.#handle.update(bundle);
  }
}
