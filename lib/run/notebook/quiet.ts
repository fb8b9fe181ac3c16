import { MillraceError } from "../../error.ts";

/** A headless run waits so many times as long for another record as it lets a live cell run. */
const PATIENCE = 12;

/**
 * Ends a headless read that asks for a number of rows that a topic which has gone quiet does not have: nobody is there to stop it, and fewer rows than were
 * asked for would be another result.
 */
export class Quiet {
  readonly #patience: number;
  #records = -1;
  #since = 0;

  /** @param liveFor how long a live cell runs, ms */
  constructor(liveFor: number) {
    this.#patience = liveFor * PATIENCE;
  }

  /** @throws MillraceError `QUIET` when no record has come for too long */
  check(rows: number, { records, rowsOut }: { readonly records: number; readonly rowsOut: number }): void {
    const now = performance.now();
    if (records !== this.#records) [this.#records, this.#since] = [records, now];
    if (now - this.#since < this.#patience) return;
    throw new MillraceError({
      code: "QUIET",
      what: `${rowsOut} of ${rows} rows have come of ${records} records, and for ${this.#patience / 1000} s no other record`,
      where: `until: ${rows}, in a run without a person`,
      remedies: [
        "leave `until` out: then the read ends with what is there now",
        `ask for fewer rows: until: ${Math.max(1, rowsOut)}`,
        `wait longer: MILLRACE_LIVE_FOR (now ${this.#patience / PATIENCE / 1000}s; a record is waited for ${PATIENCE} times as long)`,
      ],
    });
  }
}
