import { isUtf8 } from "node:buffer";
import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import type { ByteColumn, RecordColumns } from "../log/columns.ts";
import type { Schema } from "../schema.ts";
import { byteColumn } from "./by-json.ts";
import type { BadValue, Decoded, DecodeOptions, Format } from "./format.ts";

const COLUMNS: Schema = { value: "Utf8", base64: "Utf8", size: "Int64" };

/**
 * The value as it is, in the columns the program uses: `value` as text (a value that is not UTF-8 is bad), `base64` for any bytes, `size` in bytes.
 * Written is the one column `value` as text, or `base64` as the bytes that it stands for.
 */
export const bytesFormat: Format = {
  decode(
    { values, count }: RecordColumns,
    schema: Schema,
    { used = Object.keys(schema) }: DecodeOptions = {},
  ): Decoded {
    const unknown = Object.keys(schema).find((name) => COLUMNS[name] !== schema[name]);
    if (unknown !== undefined)
      throw new Refusal({
        code: "NOT_IN_FORMAT",
        what: `the format "bytes" has no column ${unknown}:${schema[unknown]}`,
        where: "the schema of the topic",
        remedies: ["its columns are value:Utf8, base64:Utf8 and size:Int64"],
      });
    const buffer = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
    const bad: BadValue[] = [];
    const good: number[] = [];
    const cells: Record<string, (string | number)[]> = { value: [], base64: [], size: [] };
    const asText = used.includes("value");
    for (let index = 0; index < count; index++) {
      const value = buffer.subarray(values.starts[index], values.ends[index]);
      if (values.nulls?.[index]) bad.push({ index, reason: "null value (tombstone)" });
      else if (asText && !isUtf8(value)) bad.push({ index, reason: "value: not UTF-8" });
      else {
        good.push(index);
        if (asText) cells.value!.push(value.toString());
        if (used.includes("base64")) cells.base64!.push(value.toString("base64"));
        if (used.includes("size")) cells.size!.push(value.length);
      }
    }
    const series = Object.keys(schema)
      .filter((name) => used.includes(name))
      .map((name) => pl.Series(name, cells[name]!, name === "size" ? pl.Int64 : pl.Utf8));
    return {
      frame: pl.DataFrame(series),
      rows: good.length,
      bad,
      ...(bad.length > 0 && { good: Uint32Array.from(good) }),
      unknownFields: 0,
    };
  },
  encode(frame: pl.DataFrame, columns: readonly string[]): ByteColumn {
    const [name] = columns;
    if (columns.length !== 1 || (name !== "value" && name !== "base64"))
      throw new Refusal({
        code: "NOT_IN_FORMAT",
        what: `the format "bytes" writes one column, value or base64, not ${columns.join(", ")}`,
        remedies: ['.to(topic, { format: "bytes", value: ["value"] })'],
      });
    const texts = frame.getColumn(name).cast(pl.Utf8).toArray() as (string | null)[];
    return byteColumn(texts.map((text) => Buffer.from(text ?? "", name === "value" ? "utf8" : "base64")));
  },
  inferSchema: () => COLUMNS,
};
