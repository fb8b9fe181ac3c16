import { Refusal } from "../error.ts";

/** The formats that `topic(…, { format })` and `.to(…, { format })` take. */
export const FORMAT_NAMES = ["json", "arrow", "avro", "bytes", "csv", "protobuf"] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

/** @throws Refusal `UNKNOWN_FORMAT` */
export function checkFormat(name: string, where?: string): asserts name is FormatName {
  if ((FORMAT_NAMES as readonly string[]).includes(name)) return;
  throw new Refusal({
    code: "UNKNOWN_FORMAT",
    what: `there is no format "${name}"`,
    ...(where !== undefined && { where }),
    remedies: [`use one of: ${FORMAT_NAMES.join(", ")}`],
  });
}
