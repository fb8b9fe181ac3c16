import { Refusal } from "../../lib/error.ts";
import { parseDuration } from "./duration.ts";

/** A point to read from as the command line takes it: `earliest`, `latest`, `-10m`, or an ISO time; times as ms since the epoch. */
export function parseWhen(text: string, now = Date.now()): "earliest" | "latest" | number {
  if (text === "earliest" || text === "latest") return text;
  if (text.startsWith("-")) return now - parseDuration(text.slice(1));
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new Refusal({
    code: "BAD_TIME",
    what: `"${text}" is not a time.`,
    remedies: ['write earliest, latest, an ISO time ("2026-01-01T12:00:00Z"), or how long ago ("-10m")'],
  });
}
