import { createRequire } from "node:module";
import { bytesFormat } from "./bytes.ts";
import { csvFormat } from "./csv/format.ts";
import type { Format } from "./format.ts";
import { jsonFormat } from "./json.ts";
import { checkFormat, type FormatName } from "./names.ts";

export type { BadValue, Decoded, DecodeOptions, Format } from "./format.ts";
export { jsonFormat } from "./json.ts";
export { FORMAT_NAMES, type FormatName } from "./names.ts";

const FORMATS: Readonly<Record<FormatName, () => Format>> = {
  json: () => jsonFormat,
  arrow: () => load<typeof import("./arrow/format.ts")>("arrow").arrowFormat,
  avro: () => load<typeof import("./avro/format.ts")>("avro").avroFormat,
  bytes: () => bytesFormat,
  csv: () => csvFormat,
  protobuf: () => load<typeof import("./protobuf/format.ts")>("protobuf").protobufFormat,
};

/** Read when first used: their libraries take a while, and most programs need none. */
function load<Module>(name: string): Module {
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return createRequire(import.meta.url)(`./${name}/format${ending}`) as Module;
}

/** The format of this name. @throws Refusal `UNKNOWN_FORMAT` */
export function formatOf(name: string): Format {
  checkFormat(name);
  return FORMATS[name]();
}
