import polars from "nodejs-polars";
import { frameOf, type Row } from "./random-rows.ts";

/** A window of the oracle: its rows in the order in which they came, and what it is called. */
export interface OracleWindow {
  readonly device: string | null;
  readonly rows: readonly Row[];
  readonly start: number;
  readonly end: number;
}

const datetime = (name: string, times: readonly number[]): polars.Series =>
  polars
    .Series(name, times as number[], polars.Float64)
    .cast(polars.Int64)
    .cast(polars.Datetime("ms"));

/** The aggregates of windows, by Polars over the rows of each; by device and then start. */
export function aggregated(
  windows: readonly OracleWindow[],
  aggs: readonly polars.Expr[],
  index?: readonly number[],
): polars.DataFrame {
  const rows = windows.flatMap((window, i) => window.rows.map((row) => ({ row, window, i })));
  const columns = [
    datetime(
      "window_start",
      rows.map(({ window }) => window.start),
    ),
    datetime(
      "window_end",
      rows.map(({ window }) => window.end),
    ),
    ...(index === undefined
      ? []
      : [
          polars
            .Series(
              "window_index",
              rows.map(({ i }) => index[i]!),
              polars.Float64,
            )
            .cast(polars.Int64),
        ]),
  ];
  const frame = frameOf(rows.map(({ row }) => row)).hstack(columns as never) as unknown as polars.DataFrame;
  const by = ["device", ...(index === undefined ? [] : ["window_index"]), "window_start", "window_end"];
  return sorted(frame.groupBy(by).agg(...aggs));
}

/** By device, start and end, and nulls first. */
export function sorted(frame: polars.DataFrame): polars.DataFrame {
  const by = [
    "device",
    ...(frame.columns.includes("window_index") ? ["window_index"] : []),
    "window_start",
    "window_end",
  ];
  return frame.sort({ by } as never);
}
