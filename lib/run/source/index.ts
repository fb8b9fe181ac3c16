export { type BadRecord, badRecordAt, indexOfOffset } from "./bad-record.ts";
export { KeyPlacement } from "./key-placement.ts";
export { oncePerRecord } from "./once-per-record.ts";
export { type Fetched, type SourceBatch, type SourceCounts, SourceReader } from "./source-reader.ts";
export { describeSource, rowsSchema } from "./source-schema.ts";
