import pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import { reasonOf } from "../../operators/bad-row.ts";
import { compileExprs } from "../../operators/compile-exprs.ts";
import { computable } from "../../operators/computable-rows.ts";
import { RowView } from "../../operators/row-view.ts";
import type { SourceNode } from "../../plan/nodes/source-node.ts";
import { print } from "../../plan/print.ts";
import type { Schema } from "../../schema.ts";

/** Event time in ms that an expression or a function gives for rows, and why some have none (by their place). */
export interface EventTimes {
  readonly times: pl.Series;
  readonly reasons: ReadonlyMap<number, string>;
}

/** How a source's event time is computed from its rows; undefined where it is a column or the record's timestamp. */
export function eventTimeOf(node: SourceNode, schema: Schema): ((rows: pl.DataFrame) => EventTimes) | undefined {
  if (node.timeOf !== undefined) return byExpression(timeExpr(node, schema)!);
  return node.timeFn === undefined ? undefined : byFunction(node.timeFn, Object.keys(schema));
}

/** @throws Refusal `NOT_A_TIME`, `UNKNOWN_COLUMN`, `NO_EXACT_STREAMING_MEANING` */
export function timeExpr(node: SourceNode, schema: Schema): pl.Expr | undefined {
  if (node.timeOf === undefined) return undefined;
  const { exprs, dtypes, stages } = compileExprs([node.timeOf], schema, { verb: "topic: time", input: node });
  const [dtype] = dtypes;
  if (stages.length === 0 && /^(Datetime|Date$|Float|U?Int)/.test(dtype!)) return exprs[0]!;
  throw new Refusal({
    code: "NOT_A_TIME",
    what:
      stages.length > 0
        ? `${print(node.timeOf)} depends on other rows: the event time of a record is its own`
        : `${print(node.timeOf)} is ${dtype}, which is no time`,
    where: "topic: time",
    remedies: [
      "milliseconds, or a datetime",
      'text: pl.col("at").str.strptime(pl.Datetime("ms"), "%Y-%m-%dT%H:%M:%S")',
    ],
  });
}

const PLACE = "\u0000place";
const numbered = pl.intRange(pl.len()).cast(pl.Int32).alias(PLACE);

function byExpression(expr: pl.Expr): (rows: pl.DataFrame) => EventTimes {
  const time = expr.cast(pl.Datetime("ms")).cast(pl.Int64).alias("_time");
  const places = pl.col(PLACE);
  return (rows) => {
    const reasons = new Map<number, string>();
    const note = (bad: pl.DataFrame, reason: string): void => {
      for (const place of bad.getColumn("_offset").toArray())
        reasons.set(Number(place), reason.replace("expression", "event time"));
    };
    // a bad row is told by its place, which stands where the offset of a record does
    const placed = rows
      .withColumns(numbered)
      .withColumns(places.alias("_offset"), pl.lit(0).cast(pl.Int32).alias("_partition"));
    const { made } = computable(placed, (part) => part.select(places, time), note);
    if (reasons.size === 0) return { times: made.getColumn("_time"), reasons };
    const all = rows.select(numbered).join(made, { on: PLACE, how: "left" }) as pl.DataFrame;
    return { times: all.sort(PLACE).getColumn("_time"), reasons };
  };
}

function byFunction(
  fn: NonNullable<SourceNode["timeFn"]>,
  columns: readonly string[],
): (rows: pl.DataFrame) => EventTimes {
  const view = new RowView([...columns, "_key"]);
  return (rows) => {
    view.take(rows);
    const reasons = new Map<number, string>();
    const { height } = rows;
    const times = new Array<number | null>(height);
    for (let i = 0; i < height; i++) {
      view.at = i;
      times[i] = null;
      try {
        const given = fn(view.row);
        const ms =
          typeof given === "string" ? Date.parse(given) : given === null || given === undefined ? null : Number(given);
        if (ms === null) continue;
        if (Number.isNaN(ms)) throw new TypeError(`${JSON.stringify(String(given))} is no time`);
        times[i] = ms;
      } catch (error) {
        reasons.set(i, reasonOf("event time", error));
      }
    }
    return { times: pl.Series("_time", times, pl.Float64).cast(pl.Int64), reasons };
  };
}
