import { timeLeft } from "../amount-done.ts";
import { type DisplayHandle, notebookHost } from "../host.ts";
import { badPanelHtml, badPanelText } from "./bad-panel.ts";
import { escapeHtml } from "./html.ts";
import { whole } from "./numbers.ts";
import type { PlanReader } from "./plan-reader.ts";

/** A read that takes longer says how far it is. */
const QUIET = 1000;
const EVERY = 500;

/** A line in the cell that waits for a long action: not before a second has passed, then twice a second. Outside of a notebook there is none. */
export class ProgressLine {
  readonly #started = performance.now();
  #handle: DisplayHandle | undefined;
  #last = this.#started - EVERY + QUIET;

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  get shown(): boolean {
    return this.#handle !== undefined;
  }

  /** Whether there is something to be said again. */
  due(): boolean {
    if (notebookHost() === undefined) return false;
    const now = performance.now();
    if (now - this.#last < EVERY) return false;
    this.#last = now;
    return true;
  }

  /** @param share how much is done, from 0 to 1; a bar shows it until all is. @param more what stands below */
  show(what: string, line: string, share: number, more = { html: "", text: [] as readonly string[] }): void {
    const bar = share < 1 ? `<progress value="${share.toFixed(3)}" aria-label="${escapeHtml(what)}"></progress> ` : "";
    const bundle = {
      "text/html": `<div role="status">${bar}${escapeHtml(line)}</div>${more.html}`,
      "text/plain": [line, ...more.text].join("\n"),
    };
    if (this.#handle === undefined) this.#handle = notebookHost()?.display(bundle);
    else this.#handle.update(bundle);
  }
}

/** Says how far a bounded read is, in the cell; and at its end which records were bad. Without a notebook only the latter, on stderr. */
export class Progress {
  readonly #what: string;
  readonly #reader: PlanReader;
  readonly #line = new ProgressLine();

  constructor(what: string, reader: PlanReader) {
    this.#what = what;
    this.#reader = reader;
  }

  update(): void {
    if (this.#line.due()) this.#show();
  }

  end(): void {
    if (this.#line.shown || this.#reader.counts.bad > 0) this.#show();
  }

  #show(): void {
    const { counts } = this.#reader;
    const { total, lag, bad } = counts;
    const line = readText(this.#what, counts, this.#line.seconds);
    const text = badPanelText(bad, this.#reader.bad);
    if (notebookHost() === undefined) {
      if (bad > 0) process.stderr.write(`${[line, ...text].join("\n")}\n`);
      return;
    }
    const share = total === 0 ? 1 : (total - lag) / total;
    this.#line.show(this.#what, line, share, { html: badPanelHtml(bad, this.#reader.bad), text });
  }
}

/** `reading: 400 of 1,000 offsets, 400 records in 2.0 s, 200 records/s, 3 s left` */
export function readText(
  what: string,
  { records, total, lag }: Pick<PlanReader["counts"], "records" | "total" | "lag">,
  seconds: number,
): string {
  const rate = records / Math.max(0.001, seconds);
  const share = total === 0 ? 1 : (total - lag) / total;
  const left = lag > 0 && share > 0 ? `, ${timeLeft((seconds / share) * (1 - share))} left` : "";
  return `${what}: ${whole(total - lag)} of ${whole(total)} offsets, ${whole(records)} records in ${seconds.toFixed(1)} s, ${whole(rate)} records/s${left}`;
}
