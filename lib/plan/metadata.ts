/**
 * The columns that travel beside the value of a record: `_key` Utf8, `_time` Datetime(ms), `_partition` Int32, `_offset` Int64,
 * `_headers` where it is named; inside a task `_watermark` Int64 (ms, before this row), and where a program has several inputs `_sequence`
 * Int64 (the row's place in the order of reading, within a call) and `_order` Int64 (ms, what that order goes by); `_delete` Boolean on
 * the rows of a sink that writes tombstones. Verbs keep them; they are part of the value only where a sink's `value` names them.
 */
export const METADATA: readonly string[] = [
  "_key",
  "_time",
  "_partition",
  "_offset",
  "_headers",
  "_watermark",
  "_sequence",
  "_order",
  "_delete",
];

const names = new Set(METADATA);

export function isMetadata(column: string): boolean {
  return names.has(column);
}
