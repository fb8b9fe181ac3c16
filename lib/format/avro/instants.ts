import type { Schema } from "../../schema.ts";
import type { AvroPart, AvroSchema } from "./codec.ts";

const PER_SECOND: Readonly<Record<string, number>> = {
  "timestamp-millis": 1e3,
  "timestamp-micros": 1e6,
  "timestamp-nanos": 1e9,
  "Datetime(s)": 1,
  "Datetime(ms)": 1e3,
  "Datetime(us)": 1e6,
};

/**
 * What brings the instants of a record to the units of the columns that they go to, where these differ: a topic whose writers went from milliseconds to
 * microseconds holds both. Finer digits than the column's are cut off. Undefined where nothing differs.
 */
export function rescaling(record: AvroPart, schema: Schema): ((row: Record<string, unknown>) => void) | undefined {
  const factors: (readonly [string, number])[] = [];
  for (const { name, type } of record.fields as { name: string; type: AvroSchema }[]) {
    const [from, to] = [PER_SECOND[logicalType(type) ?? ""], PER_SECOND[schema[name] ?? ""]];
    if (from !== undefined && to !== undefined && from !== to) factors.push([name, to / from]);
  }
  if (factors.length === 0) return undefined;
  return (row) => {
    for (const [name, factor] of factors) {
      const value = row[name];
      // whole numbers beyond 2^53 are raw JSON; as doubles they are exact to far less than a microsecond
      if (value !== null && value !== undefined)
        row[name] = Math.floor(Number((value as { rawJSON?: string }).rawJSON ?? value) * factor);
    }
  };
}

function logicalType(type: AvroSchema): string | undefined {
  if (typeof type === "string") return undefined;
  if (!Array.isArray(type)) {
    const part = type as AvroPart;
    return typeof part.type === "string" ? (part.logicalType as string | undefined) : logicalType(part.type);
  }
  const some = (type as AvroSchema[]).filter((one) => one !== "null");
  return some.length === 1 ? logicalType(some[0]!) : undefined;
}
