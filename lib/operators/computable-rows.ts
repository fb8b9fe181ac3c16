import type pl from "nodejs-polars";
import { MillraceError } from "../error.ts";
import { noteBad, reasonOf } from "./bad-row.ts";
import type { BatchContext } from "./operator.ts";

/**
 * Runs what Polars computes row by row. Where it throws because of a value (a strict cast, a place beyond a list's end), the rows that it cannot
 * compute are found by halving the batch, noted as bad ones, and left out: Polars itself would give up the whole column.
 * @returns the rows that are left, and what was computed of them
 * @throws MillraceError `EXPRESSION_FAILED` where it throws whatever the rows are
 */
export function computable<T>(
  batch: pl.DataFrame,
  compute: (rows: pl.DataFrame) => T,
  bad: BatchContext["bad"],
): { rows: pl.DataFrame; made: T } {
  try {
    return { rows: batch, made: compute(batch) };
  } catch (error) {
    attempt(() => compute(batch.head(0)));
    const rows = sound(batch, compute, bad, error);
    return { rows, made: attempt(() => compute(rows)) };
  }
}

/** The rows that can be computed, of those that together cannot. */
function sound<T>(
  rows: pl.DataFrame,
  compute: (rows: pl.DataFrame) => T,
  bad: BatchContext["bad"],
  error: unknown,
): pl.DataFrame {
  if (rows.height <= 1) {
    noteBad({ bad } as BatchContext, rows, rows.height === 1 ? [0] : [], reasonOf("expression", firstLine(error)));
    return rows.head(0);
  }
  const middle = Math.floor(rows.height / 2);
  const halves = [rows.slice(0, middle), rows.slice(middle, rows.height - middle)].map((half) => {
    try {
      compute(half);
      return half;
    } catch (error) {
      return sound(half, compute, bad, error);
    }
  });
  return halves[0]!.vstack(halves[1]!) as unknown as pl.DataFrame;
}

function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw expressionFailed(error);
  }
}

/** What Polars threw, with a code. Errors that have one are left as they are. */
export function expressionFailed(error: unknown): unknown {
  if (error instanceof MillraceError || (error as { code?: unknown })?.code !== "GenericFailure") return error;
  return new MillraceError({
    code: "EXPRESSION_FAILED",
    what: `Polars could not compute an expression: ${firstLine(error).message}`,
    remedies: [
      "make values that do not fit null, and deal with them: .cast(pl.Int64) in the place of .cast(pl.Int64, true)",
      "try the verbs on a small pl.DataFrame with such a value",
    ],
    cause: error,
  });
}

/** Polars adds its whole plan to some of its messages. */
function firstLine(error: unknown): Error {
  return new Error(String(error instanceof Error ? error.message : error).split("\n")[0]);
}
