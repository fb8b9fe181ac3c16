import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import type { KeyedStore } from "../state/store.ts";
import { perKey } from "./exprs.ts";
import type { BatchContext } from "./operator.ts";

/** When a key is forgotten: `ttl` ms of event time after its last row; rows come `delay` ms behind the watermark. */
export interface Ttl {
  readonly ttl: number;
  readonly delay: number;
}

/** The column that tells the lives of a key apart. */
export const LIFE = "§life";

const TIME = pl.col("_time").cast(pl.Int64);
const CLOCK = pl
  .maxHorizontal([pl.col("_watermark"), TIME])
  .cast(pl.Int64)
  .alias("§clock");
const OWN_CLOCK = TIME.alias("§clock");

/**
 * The clock at each row, `§clock`: the largest event time up to and with it. It never goes back, and does not depend on how rows fall into
 * batches. Rows that windows have released bring no watermark, and come in the order of their times.
 */
export function clockOf(batch: pl.DataFrame): pl.Expr {
  return batch.columns.includes("_watermark") ? CLOCK : OWN_CLOCK;
}

/** Whether a key was forgotten just before a row, by the clocks at it and at the row before; then the number of the life it is in, from 0 on. */
export function livesOf(keys: readonly string[], ttl: number): readonly pl.Expr[] {
  const gap = perKey(pl.col("§clock").diff(1, "ignore"), keys);
  return [
    gap.gtEq(pl.lit(ttl)).fillNull(pl.lit(false)).cast(pl.Int64).alias(LIFE),
    perKey(pl.col(LIFE).cumSum(), keys).alias(LIFE),
  ];
}

/** Rows with their lives, in steps that build on each other. */
export function withLives<F extends pl.DataFrame | pl.LazyDataFrame>(rows: F, lives: readonly pl.Expr[]): F {
  return lives.reduce((before, expr) => before.withColumns(expr) as F, rows);
}

/** Removes the keys whose time is over: rows to come find a clock of at least the watermark. */
export async function forget(
  store: KeyedStore,
  ttl: Ttl | undefined,
  { commit, watermark }: BatchContext,
): Promise<void> {
  if (ttl === undefined || !commit || Number.isNaN(watermark)) return;
  await store.takeUpTo("seen", watermark - ttl.delay - ttl.ttl);
}

/** @throws Refusal `BAD_OPTION` where nothing is kept that could be forgotten */
export function checkTtl(stages: readonly unknown[], verb: string): void {
  if (stages.length > 0) return;
  throw new Refusal({
    code: "BAD_OPTION",
    what: `${verb} keeps no state here that ttl could end`,
    where: verb,
    remedies: ["leave ttl out"],
  });
}
