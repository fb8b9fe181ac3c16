export { MillraceError, Refusal, type Trouble } from "./error.ts";
export { param, Sink, StreamFrame, table, topic } from "./frame/index.ts";
export { pl } from "./plan/pl.ts";
export type { DTypeName, Schema } from "./schema.ts";
