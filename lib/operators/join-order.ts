import pl from "nodejs-polars";

/**
 * Where rows stand in the order of reading, as one Int64 that two inputs can be compared by.
 *
 * The clock of a record is the largest event time of its source up to and with it; sources are merged by it, so it never goes back. Rows that windows or
 * joins release (their `_watermark` is null) come as soon as the watermark has passed their time by the delay of their input. A position is
 * four times the clock and a rank, because at one clock there come first the rows released by it, then the records, and rows that had to wait for
 * either come right after them.
 */
const RELEASED = 0;
const AFTER_RELEASED = 1;
const RECORD = 2;
const AFTER_RECORDS = 3;

const STEPS = 4;

/** How far things had come when a row was given, see {@link orderAt}; null for records and rows of windows, which have come when their time says. */
const ORDER = pl.col("_order");
const HAS_ORDER = ORDER.isNotNull();
const AT_RECORD = pl.col("_sequence").gtEq(pl.lit(0));

/** Milliseconds by which the rows of an input lag behind the watermark; undefined where they are those of records, which do not. */
export type Delay = number | undefined;

const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);
const time = pl.col("_time").cast(pl.Int64);

/** The largest event time of the source up to and with a record, in ms. */
export const CLOCK: pl.Expr = pl.maxHorizontal([pl.col("_watermark"), time]);

/** The clock at which a row of an input with this delay comes. */
export function clockOf(delay: Delay): pl.Expr {
  if (delay === undefined) return CLOCK;
  return pl
    .when(HAS_ORDER)
    .then(
      pl
        .when(AT_RECORD)
        .then(pl.maxHorizontal([ORDER, CLOCK]))
        .otherwise(ORDER.plus(int(1))),
    )
    .when(pl.col("_watermark").isNull())
    .then(time.plus(int(1 + delay)))
    .otherwise(CLOCK);
}

function position(clock: pl.Expr, rank: number): pl.Expr {
  return clock.multiplyBy(int(STEPS)).plus(int(rank));
}

/** The position of a row of an input with this delay. */
export function positionOf(delay: Delay): pl.Expr {
  if (delay === undefined) return position(CLOCK, RECORD);
  const clock = clockOf(delay);
  const isRecord = pl.when(HAS_ORDER).then(AT_RECORD).otherwise(pl.col("_watermark").isNotNull());
  return pl.when(isRecord).then(position(clock, RECORD)).otherwise(position(clock, RELEASED));
}

/**
 * The `_order` of a row that is given at a position: the time up to which everything had been read before it. It depends on nothing but the position,
 * so that rows that waited have one order whatever else there is in their partition, and whatever the batches are.
 */
export function orderAt(place: pl.Expr): pl.Expr {
  const past = place.minus(int(RECORD));
  const rank = past.modulo(int(STEPS)).plus(int(STEPS)).modulo(int(STEPS));
  return past.minus(rank).div(int(STEPS)).cast(pl.Int64).alias("_order");
}

/** The position by which all rows of an input with this delay have come whose time is at most `time`; only late ones may follow. */
export function positionPast(time: pl.Expr, delay: Delay): pl.Expr {
  return delay === undefined ? position(time, AFTER_RECORDS) : position(time.plus(int(1 + delay)), AFTER_RELEASED);
}

/** The position just after the rows that come at a clock, of an input with this delay. */
export function positionAfter(clock: pl.Expr, delay: Delay): pl.Expr {
  return position(clock, delay === undefined ? AFTER_RECORDS : AFTER_RELEASED);
}

/** The largest {@link positionPast} that has been reached at this watermark: records with the same clock may follow, released rows do not. */
export function reached(watermark: number): number {
  return watermark * STEPS + AFTER_RELEASED;
}
