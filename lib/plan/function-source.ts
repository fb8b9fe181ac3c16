import { Refusal } from "../error.ts";

const ASYNC = (async () => {}).constructor;
const CLOCK = /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|crypto\.|process\.hrtime)/;

/**
 * A function as it was written, for keys, fingerprints and `explain`. Two functions of the same text count as the same one beside state.
 * @throws Refusal `NOT_A_FUNCTION`, `ASYNC_FUNCTION`, `NO_SOURCE_TEXT`
 */
export function sourceOf(fn: unknown, verb: string, { async = false } = {}): string {
  if (typeof fn !== "function")
    throw new Refusal({
      code: "NOT_A_FUNCTION",
      what: `${verb} was given ${typeof fn}, not a function`,
      where: verb,
      remedies: [`.${verb}((row) => ({ … }), { schema: { … } })`],
    });
  if (!async && fn instanceof ASYNC)
    throw new Refusal({
      code: "ASYNC_FUNCTION",
      what: `${verb} was given an async function: what it awaits would decide when a row comes out, and what a replay gives`,
      where: verb,
      remedies: ["compute with what is in the row", "join with a table that holds what it asks for"],
    });
  const text = fn.toString().replace(/\r\n/g, "\n").trim();
  if (/\{\s*\[native code\]\s*\}$/.test(text))
    throw new Refusal({
      code: "NO_SOURCE_TEXT",
      what: `${verb} was given a function without source text (a built-in or bound one), which the plan cannot tell from another`,
      where: verb,
      remedies: ["wrap it: (row) => f(row)"],
    });
  return text;
}

/** What in a function makes it give other values in a replay, or undefined. */
export function unrepeatable(source: string): string | undefined {
  return CLOCK.exec(source)?.[0];
}
