import type * as Api from "./api.ts";
import { afterFastObjects } from "./polars/after-fast-objects.ts";

const api = afterFastObjects<typeof Api>(import.meta.url, "./api");

export const {
  concat,
  FileSink,
  MillraceError,
  param,
  pl,
  Refusal,
  Sink,
  StaticTable,
  StreamFrame,
  sql,
  table,
  topic,
} = api;
export type MillraceError = Api.MillraceError;
export type Refusal = Api.Refusal;
export type FileSink = Api.FileSink;
export type Sink = Api.Sink;
export type StaticTable = Api.StaticTable;
export type StreamFrame = Api.StreamFrame;
export type { DTypeName, Schema, Sql, SqlOptions, SqlTag, Trouble } from "./api.ts";
