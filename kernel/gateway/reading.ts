/** One reading of a phone, ready to become a record. */
export interface Reading {
  readonly key: Buffer | null;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The JSON object as it was sent. */
  readonly value: Buffer;
}

export interface ReadingFields {
  /** The field whose text becomes the record key; without it records have none. */
  readonly key?: string;
  /** The field (ms or ISO 8601) that becomes the record's timestamp; the time of arrival by default. */
  readonly time?: string;
}

/** What a message holds, line by line: readings, and why other lines are none. Lines are numbered from 1; blank ones are passed over. */
export interface ReadMessage {
  readonly readings: readonly Reading[];
  readonly rejected: readonly { readonly line: number; readonly reason: string }[];
}

/** Reads a message of one or more lines, each a JSON object. The bytes of a line stay what they are. */
export function readMessage(text: string, fields: ReadingFields, now = Date.now()): ReadMessage {
  const readings: Reading[] = [];
  const rejected: { line: number; reason: string }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const reading = readLine(line, fields, now);
    if (typeof reading === "string") rejected.push({ line: index + 1, reason: reading });
    else readings.push(reading);
  }
  return { readings, rejected };
}

function readLine(line: string, fields: ReadingFields, now: number): Reading | string {
  let object: Record<string, unknown>;
  try {
    object = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return "it is not JSON";
  }
  if (typeof object !== "object" || object === null || Array.isArray(object)) return "it is not a JSON object";
  const key = fields.key === undefined ? null : keyText(object[fields.key]);
  if (key === undefined) return `its field "${fields.key}", the key, is neither text nor a number`;
  const time = fields.time === undefined ? now : milliseconds(object[fields.time]);
  if (Number.isNaN(time)) return `its field "${fields.time}", the time, is neither milliseconds nor ISO 8601`;
  return { key: key === null ? null : Buffer.from(key), time, value: Buffer.from(line) };
}

function keyText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function milliseconds(value: unknown): number {
  if (typeof value === "number") return Math.floor(value);
  return typeof value === "string" ? Date.parse(value) : Number.NaN;
}
