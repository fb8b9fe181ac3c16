import { Refusal } from "../error.ts";
import type { Format } from "./format.ts";
import { jsonFormat } from "./json.ts";

export type { BadValue, Decoded, DecodeOptions, Format } from "./format.ts";
export { jsonFormat } from "./json.ts";

const formats: Readonly<Record<string, Format>> = { json: jsonFormat };

/** The format of this name. @throws Refusal `UNKNOWN_FORMAT` */
export function formatOf(name: string): Format {
  const format = formats[name];
  if (format !== undefined) return format;
  throw new Refusal({
    code: "UNKNOWN_FORMAT",
    what: `there is no format "${name}"`,
    remedies: [`use one of: ${Object.keys(formats).join(", ")}`],
  });
}
