import { inspect, types } from "node:util";
import type { MimeBundle } from "../../lib/run/host.ts";
import { frameBundle, isDataFrame, isSeries } from "./frame.ts";
import { imageBundle } from "./image.ts";
import { asJson } from "./json.ts";
import { isPlotlyFigure, plotlyBundle } from "./plotly.ts";
import { probe } from "./probe.ts";

const DISPLAY = Symbol.for("Jupyter.display");
const MIME = /^(application|audio|image|model|text|video)\/[\w.+-]+$/;
/** VS Code renders it blank and prefers it to HTML; JupyterLab knows it not at all. */
const DATA_RESOURCE = "application/vnd.dataresource+json";

/** How a value is shown. A promise only where the value describes itself asynchronously. An empty bundle shows nothing. */
export function toBundle(value: unknown): MimeBundle | Promise<MimeBundle> {
  if (typeof value === "string" && SEVERAL_LINES.test(value)) return { "text/plain": lines(value) };
  if (typeof value !== "object" && typeof value !== "function") return { "text/plain": text(value) };
  if (value === null) return { "text/plain": "null" };
  if (isDataFrame(value) || isSeries(value)) return frameBundle(value);
  const describe = probe(value, DISPLAY);
  if (typeof describe === "function") {
    const described: unknown = describe.call(value);
    return described instanceof Promise
      ? described.then((bundle) => cleaned(bundle, value))
      : cleaned(described, value);
  }
  if (isBundle(value)) return encoded(value);
  const bytes = types.isAnyArrayBuffer(value) ? new Uint8Array(value) : value;
  if (types.isUint8Array(bytes)) return imageBundle(bytes) ?? { "text/plain": text(value) };
  if (isPlotlyFigure(value)) return plotlyBundle(value);
  return { "text/plain": text(value) };
}

/** Text of several lines is shown as it is, such as that of `frame.explain()`: in quotes nobody could read it. */
function lines(value: string): string {
  const left = value.length - LONGEST;
  return left > 0 ? `${value.slice(0, LONGEST)}… ${left} more characters` : value;
}

/** A line break that something follows: one at the end alone is told by the quotes. */
const SEVERAL_LINES = /\n./s;

/** Of a string, characters shown. */
const LONGEST = 10_000;

/** What `console.log` would print, with strings in quotes, bounded. */
export function text(value: unknown): string {
  try {
    return inspect(value, { depth: 4, maxArrayLength: 100, maxStringLength: LONGEST, breakLength: 100 });
  } catch (error) {
    return `a value that cannot be shown (${kindOf(value)}): ${messageOf(error)}`;
  }
}

const kindOf = (value: unknown) => (types.isProxy(value) ? "a proxy" : typeof value);

function messageOf(error: unknown): string {
  const said = typeof error === "object" && error !== null ? probe(error, "message") : error;
  return typeof said === "string" ? said : "inspecting it throws";
}

/** A plain object whose keys are all mime types. */
function isBundle(value: object): value is MimeBundle {
  try {
    const keys = Object.keys(value);
    const prototype = Object.getPrototypeOf(value);
    return (
      keys.length > 0 && (prototype === Object.prototype || prototype === null) && keys.every((key) => MIME.test(key))
    );
  } catch {
    return false; // a proxy that does not say
  }
}

function cleaned(described: unknown, value: object): MimeBundle {
  if (typeof described !== "object" || described === null) return { "text/plain": text(value) };
  const { [DATA_RESOURCE]: _, ...bundle } = described as MimeBundle;
  return encoded(bundle);
}

/** Bytes travel as base64, as Jupyter asks for images; what is undefined is left out. */
function encoded(bundle: MimeBundle): MimeBundle {
  return Object.fromEntries(
    Object.entries(bundle)
      .filter(([, data]) => data !== undefined)
      .map(([mime, data]) => [mime, encodedData(mime, data)]),
  );
}

function encodedData(mime: string, data: unknown): unknown {
  if (typeof data === "string") return data;
  if (data instanceof Uint8Array) return bytesFor(mime, data);
  if (types.isAnyArrayBuffer(data)) return bytesFor(mime, new Uint8Array(data));
  const json = asJson(data, mime);
  // nbformat knows text only, where the type is none of JSON.
  return typeof json === "object" || /[/+]json$/.test(mime) ? json : String(json);
}

const bytesFor = (mime: string, data: Uint8Array) =>
  Buffer.from(data).toString(mime.startsWith("text/") || mime === "image/svg+xml" ? "utf8" : "base64");
