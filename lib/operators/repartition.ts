import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import type { RepartitionNode } from "../plan/nodes/repartition-node.ts";
import { columnsOf } from "../plan/tree.ts";
import type { Compiled } from "./compile.ts";
import { compileExprs } from "./compile-exprs.ts";
import { placedLineage } from "./lineage.ts";

const ORDER = pl.col("_order");

/** The column that says, as text, where a row that is sent on goes: the partition of this key; null for partition 0. */
export const PLACE = "_place";

/** In its place: the row goes to every partition. No text of a key has such a character. */
export const EVERYWHERE = "\u0000everywhere";

/**
 * Rows placed anew, as the two halves of it: `send` ends one part of the program and gives rows with `_place`, `_order` and `_watermark`
 * to whoever runs it; `back` begins the next part with the rows that came back.
 *
 * `_order` is what rows of several partitions are merged by: the largest event time up to and with the row in its partition, so that
 * rows of one partition keep their order; for the rows of windows their own time. Rows that had to wait for partners in a join have
 * the order of what they waited for. It never falls within a partition: rows that come when others have gone before (those of windows that end later
 * than others) are given the order of these, see {@link inSentOrder}.
 */
export function compileRepartition(
  node: RepartitionNode,
  key: string,
  input: Compiled,
): { send: Compiled; back: Compiled } {
  const made = compileExprs(node.keys, input.schema, { verb: "keyBy", input: input.node });
  if (made.stages.length > 0)
    throw new Refusal({
      code: "NOT_BUILT",
      what: "a key that depends on earlier rows is not built",
      where: "keyBy",
      remedies: ["compute it in a withColumns before, and use that column"],
    });
  const texts = made.exprs.map((expr) => expr.cast(pl.Utf8));
  const place = (
    node.everywhere
      ? pl.lit(EVERYWHERE)
      : texts.length === 0
        ? pl.lit(null).cast(pl.Utf8)
        : texts.length === 1
          ? texts[0]!
          : pl.concatString(
              texts.map((text) => text.fillNull(pl.lit(""))),
              ",",
            )
  ).alias(PLACE);
  const key_ = node.named ? [pl.col(PLACE).alias("_key")] : [];
  const time = pl.col("_time").cast(pl.Int64);
  const own = pl.maxHorizontal([pl.col("_watermark"), time]).alias("_order");
  const timeOrder = time.alias("_order");
  // what all rows lag is not waited for where they come back, see `delay` below
  const given = pl
    .when(ORDER.isNull())
    .then(own)
    .otherwise(pl.maxHorizontal([ORDER.minus(pl.lit(input.leastDelay).cast(pl.Int64)), time]));
  const none = pl.lit(null).cast(pl.Int64).alias("_watermark");
  const send: Compiled = {
    ...input,
    key: `${key} send`,
    node,
    inputs: [input],
    steps: [
      {
        query(rows) {
          const present = rows.columns;
          let placed = rows.withColumns(place);
          if (!present.includes("_watermark")) placed = placed.withColumns(none);
          if (input.windowed && !waits(input))
            placed = placed.withColumns(timeOrder).sort("_order", false, false, true);
          else placed = placed.withColumns(present.includes("_order") ? given.alias("_order") : own);
          return key_.length === 0 ? placed : placed.withColumns(...key_);
        },
      },
    ],
    watermark: true,
    used: (columns) =>
      new Set([...columns, ...made.trees.flatMap(columnsOf), "_key", "_time", "_partition", "_offset"]),
  };
  const back: Compiled = {
    key,
    node,
    inputs: [],
    sources: [node],
    steps: [],
    schema: input.schema,
    lineage: placedLineage(input.lineage, made.trees, node.named),
    windowed: input.windowed,
    updating: false,
    // how far it has come is said without what all its rows lag; those that had to wait come as late behind others as before
    delay: input.delay - input.leastDelay,
    leastDelay: 0,
    used: (columns) => new Set(columns),
  };
  return { send, back };
}

/** Whether some of the rows come later than others of their time. */
export const waits = ({ delay, leastDelay }: Compiled): boolean => delay > leastDelay;

/** Rows as they are sent, none with a smaller `_order` than one before it. @param last the largest of what was sent before, ms; NaN for none */
export function inSentOrder(rows: pl.DataFrame, last: number): pl.DataFrame {
  const running = ORDER.cumMax();
  const order = Number.isNaN(last) ? running : pl.maxHorizontal([running, pl.lit(last).cast(pl.Int64)]);
  return rows.withColumns(order.alias("_order"));
}
