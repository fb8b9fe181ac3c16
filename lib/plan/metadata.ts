/**
 * The columns that travel beside the value of a record: `_key` Utf8, `_time` Datetime(ms), `_partition` Int32, `_offset` Int64,
 * `_headers` where it is named; `_watermark` Int64 (ms, before this row) inside a task; `_delete` Boolean on the rows of a sink that
 * writes tombstones. Verbs keep them; they are part of the value only where a sink's `value` names them.
 */
export const METADATA: readonly string[] = [
  "_key",
  "_time",
  "_partition",
  "_offset",
  "_headers",
  "_watermark",
  "_delete",
];

const names = new Set(METADATA);

export function isMetadata(column: string): boolean {
  return names.has(column);
}
