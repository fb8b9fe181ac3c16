import type { BadRecord } from "./bad-record.ts";

/**
 * Each record once, at its first place, with every reason there is against it: several sources may read one topic, and several sinks use one row. What is
 * no record (a timer, a row of windows: offset -1) stays as it is.
 */
export function oncePerRecord(bad: readonly BadRecord[]): readonly BadRecord[] {
  if (bad.length < 2) return bad;
  const once = new Map<unknown, BadRecord>();
  for (const record of bad) {
    const id = record.offset < 0 ? record : `${record.topic}/${record.partition}/${record.offset}`;
    const known = once.get(id);
    if (known === undefined) once.set(id, record);
    else if (!known.reason.split("; ").includes(record.reason))
      once.set(id, { ...known, reason: `${known.reason}; ${record.reason}` });
  }
  return [...once.values()];
}
