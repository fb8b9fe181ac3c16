import { MillraceError } from "../../../lib/error.ts";

/** What a program gave: a value, or why it did not. */
export type Outcome<T> = { readonly value: T } | { readonly error: Error };

export async function outcomeOf<T>(run: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error: error as Error };
  }
}

/** A program that Polars computes and a stream does not is refused, with a code. */
export function isRefused(error: Error): boolean {
  return error instanceof MillraceError;
}
