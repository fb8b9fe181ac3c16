import { Refusal } from "../../lib/error.ts";
import { probe } from "./probe.ts";

/**
 * A value as JSON leaves it: what goes to the client goes so. Functions and symbols within fall away, as `JSON.stringify` has it.
 *
 * @param what it is: a mime type, a comm's data
 * @throws Refusal in the cell that gave it, where it is no JSON (a bigint, a cycle)
 */
export function asJson(value: unknown, what: string): unknown {
  let json: string | undefined;
  let why: unknown = "it is a function, a symbol or undefined";
  try {
    json = JSON.stringify(value);
  } catch (error) {
    why = probe(error, "message") ?? "its toJSON fails";
  }
  if (json !== undefined) return JSON.parse(json);
  throw new Refusal({
    code: "NOT_JSON",
    what: `${what} cannot be sent as JSON: ${String(why).split("\n", 1)[0]}`,
    remedies: ["convert it first: a bigint by Number() or String(), a cycle by leaving it out"],
  });
}
