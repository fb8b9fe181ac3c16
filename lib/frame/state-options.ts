import polars from "nodejs-polars";
import { Refusal } from "../error.ts";
import { positive } from "./window-options.ts";

/** The last argument of a verb that keeps state per key. */
export interface StateOptions {
  /**
   * How long a key is remembered after its last row, in event time (`"1h"`); for ever if not given. A row that comes that long or longer after the
   * one before it, by the largest event time so far, finds its key as if it were new.
   */
  readonly ttl?: string;
}

/** The options behind the columns, where there are any. @throws Refusal `BAD_OPTION`, `BAD_DURATION` */
export function splitOptions<T>(args: readonly (T | StateOptions)[], verb: string): { columns: T[]; ttl?: number } {
  const last = args.at(-1);
  if (!isOptions(last)) return { columns: args as T[] };
  return { columns: args.slice(0, -1) as T[], ...ttlOf(last, verb) };
}

export function ttlOf(options: StateOptions, verb: string): { ttl?: number } {
  for (const name of Object.keys(options))
    if (name !== "ttl")
      throw new Refusal({
        code: "BAD_OPTION",
        what: `${verb} has no option "${name}" on a stream`,
        where: verb,
        remedies: ['its option is ttl: { ttl: "1h" }'],
      });
  return options.ttl === undefined ? {} : { ttl: positive(options.ttl, "ttl") };
}

function isOptions(value: unknown): value is StateOptions {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  return Object.getPrototypeOf(value) === Object.prototype && !polars.Expr.isExpr(value);
}
