import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkFormat, type FormatName } from "../format/names.ts";
import { contentId } from "../plan/content-key.ts";
import { sourceNode } from "../plan/nodes/source-node.ts";
import { tableNode } from "../plan/nodes/table-node.ts";
import type { Schema } from "../schema.ts";
import { isFile, type StaticTable, type StaticTableOptions, staticTable } from "./static-table.ts";
import { StreamFrame } from "./stream-frame.ts";

export interface TableOptions {
  /** The column that holds the record key, by which rows are looked up. */
  readonly key: string;
  /** The column that holds the event time, from which on a row is valid; without it the record's timestamp. */
  readonly time?: string;
  /** How values become rows, as in `topic()`; not `"arrow"`, whose records hold many rows each. */
  readonly format?: Exclude<FormatName, "arrow">;
  /** Column names and dtypes; inferred from a sample otherwise. */
  readonly schema?: Schema;
}

/**
 * A keyed table, for lookups with `join`: a compacted topic (the newest row per record key, changing; a record without a value deletes), or
 * fixed rows: a Polars frame, a Parquet or CSV file, a table of a DuckDB file. A file is named relative to the notebook's folder; promotion puts a copy
 * into the job.
 * @throws Refusal `NO_TOPIC`, `NO_KEY`, `NO_FILE`, `NO_TABLE`, `NOT_UNIQUE`, `UNKNOWN_FORMAT`, `MANY_ROWS_PER_KEY` (Arrow)
 * @example
 * const devices = table("devices", { key: "device" });
 * const limits = table("limits.csv", { key: "model" });
 * phone.join(devices, { on: "device", how: "left" }).join(limits, { on: "model" })
 */
export function table(topic: string, options: TableOptions): StreamFrame;
export function table(
  rows: pl.DataFrame | `${string}.${"parquet" | "csv" | "duckdb"}`,
  options?: StaticTableOptions,
): StaticTable;
export function table(source: pl.DataFrame | string, options?: unknown): StreamFrame | StaticTable {
  if (pl.DataFrame.isDataFrame(source)) return staticTable(source as pl.DataFrame, options as StaticTableOptions);
  if (typeof source !== "string" || source === "")
    throw new Refusal({
      code: "NO_TOPIC",
      what: "table() was given neither a topic, nor a file, nor a frame",
      where: "table",
      remedies: ['table("devices", { key: "device" })', 'table("devices.parquet")', "table(await frame.collect())"],
    });
  if (isFile(source)) return staticTable(source, options as StaticTableOptions);
  const { key, time, format = "json", schema } = (options ?? {}) as Partial<TableOptions>;
  if (key === undefined)
    throw new Refusal({
      code: "NO_KEY",
      what: `the table of the topic ${source} needs to know which column holds the record key`,
      where: `table("${source}")`,
      remedies: [`table("${source}", { key: "device" })`],
    });
  checkFormat(format, `table("${source}")`);
  if ((format as FormatName) === "arrow")
    throw new Refusal({
      code: "MANY_ROWS_PER_KEY",
      what: `table ${source}: an Arrow record holds many rows, and a table has one row per record key`,
      where: `table("${source}")`,
      remedies: [
        "write the table's topic with a row per record (JSON, Avro, Protobuf, CSV)",
        `or join with the stream of its rows as of their time: .joinAsof(topic("${source}", { format: "arrow" }), …)`,
      ],
    });
  const content = {
    topics: [source],
    format,
    key,
    ...(time !== undefined && { time }),
    ...(schema && { schema: Object.freeze({ ...schema }) }),
    tombstones: true,
  } as const;
  const input = sourceNode({ id: contentId(source, content), ...content });
  return new StreamFrame(tableNode({ input, key }));
}
