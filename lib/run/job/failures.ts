import { MillraceError, Refusal } from "../../error.ts";
import { BrokerRefused } from "../../log/index.ts";

/** After this long without a checkpoint that succeeds, the job gives up, ms. */
export const PATIENCE = 120_000;

/** That it goes on failing, for how long, and what went wrong last. */
export class Failures {
  #since: number | undefined;
  #last = "";

  /** Notes what went wrong. @returns for how long something has, ms */
  note(error: unknown): number {
    this.#since ??= performance.now();
    const text = error instanceof MillraceError ? error.what : String((error as Error).message ?? error);
    this.#last = text.split("\n")[0]!;
    return performance.now() - this.#since;
  }

  /** It is good again. */
  end(): void {
    this.#since = undefined;
  }

  /** For who asks why the worker does no work; undefined where it is good. */
  report(): Readonly<Record<string, unknown>> | undefined {
    if (this.#since === undefined) return undefined;
    return {
      reason: "failing",
      error: this.#last,
      seconds: Math.round((performance.now() - this.#since) / 1000),
      givesUpAfter: PATIENCE / 1000,
    };
  }
}

/** Whether going back to the last checkpoint can help. */
export function passes(error: unknown): boolean {
  if (error instanceof Refusal || !(error instanceof MillraceError)) return false;
  if (error instanceof BrokerRefused && error.kafkaError.endsWith("AUTHORIZATION_FAILED")) return false;
  return !FINAL.has(error.code);
}

const FINAL = new Set([
  "OFFSET_OUT_OF_RANGE",
  "CORRUPT_RECORDS",
  "TOPIC_NOT_FOUND",
  "TOPIC_RECREATED",
  "AUTHENTICATION_FAILED",
  "BAD_RECORD",
  "MEMBER_FENCED",
  "STATE_FOLDER",
]);
