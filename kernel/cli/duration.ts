import { Refusal } from "../../lib/error.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `10s`, `5m`, `2h`, `1d`, or several after one another, in ms. */
export function parseDuration(text: string): number {
  let total = 0;
  let rest = text;
  for (
    let match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/.exec(rest);
    match !== null;
    match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/.exec(rest)
  ) {
    total += Number(match[1]) * UNITS[match[2]!]!;
    rest = rest.slice(match[0].length);
  }
  if (rest === "" && text !== "") return total;
  throw new Refusal({
    code: "BAD_DURATION",
    what: `"${text}" is not a duration.`,
    remedies: ['write a number and a unit: "500ms", "10s", "5m", "2h", "1d"'],
  });
}
