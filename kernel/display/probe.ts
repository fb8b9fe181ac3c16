/**
 * A property, or undefined where there is none or reading it throws: what is only looked at to learn what a value is (a proxy whose traps throw, a getter that fails)
 * must not make showing it fail.
 */
export function probe(value: unknown, property: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown>)[property];
  } catch {
    return undefined;
  }
}

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  value !== null &&
  (typeof value === "object" || typeof value === "function") &&
  typeof probe(value, "then") === "function";
