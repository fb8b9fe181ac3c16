import { createRequire } from "node:module";
import "./polars/fast-objects.ts";
import type * as Api from "./api.ts";

// Required, not imported: imports are linked, and nodejs-polars read, before fast-objects.ts has run. (A top-level await would do as well, but
// then a CommonJS program, such as a cell of stock tslab, could not require millrace.)
const api = createRequire(import.meta.url)(import.meta.url.endsWith(".ts") ? "./api.ts" : "./api.js") as typeof Api;

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
