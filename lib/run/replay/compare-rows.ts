/** A row as a sink writes it: `{"key":…,"value":{…}}`; a null value is a tombstone. */
export interface SinkRow {
  readonly key: string | null;
  readonly value: unknown;
}

export interface Difference {
  readonly key: string | null;
  /** Position among the rows of this key, from 0; of a row too many, among the job's. */
  readonly position: number;
  /** Undefined where there is one row too many. */
  readonly expected: unknown;
  /** Undefined where a row is missing. */
  readonly actual: unknown;
}

/**
 * Rows compared per key and in their order; numbers to a relative 1e-9, as different batches may add floats in different orders. A row that is missing or
 * too many is one difference: the rows behind it are compared with those they belong to.
 */
export function compareRows(expected: readonly SinkRow[], actual: readonly SinkRow[]): Difference[] {
  const [wanted, found] = [byKey(expected), byKey(actual)];
  const differences: Difference[] = [];
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const [left, right] = [wanted.get(key) ?? [], found.get(key) ?? []];
    let [i, j] = [0, 0];
    while (i < left.length || j < right.length) {
      if (i < left.length && j < right.length && same(left[i], right[j])) {
        i++;
        j++;
        continue;
      }
      const [missing, more] = untilAlike(left, i, right, j);
      for (let k = 0; k < Math.max(missing, more); k++)
        differences.push({
          key,
          position: k < missing ? i + k : j + k,
          expected: k < missing ? left[i + k] : undefined,
          actual: k < more ? right[j + k] : undefined,
        });
      i += missing;
      j += more;
    }
  }
  return differences;
}

/** How far behind each other rows are looked for that are the same again. */
const FAR = 64;

/** How many rows of each to leave behind, the fewest, until both go on with the same row; all where they do not. */
function untilAlike(left: readonly unknown[], i: number, right: readonly unknown[], j: number): [number, number] {
  for (let both = 1; both <= FAR; both++)
    for (let missing = 0; missing <= both; missing++) {
      const [a, b] = [i + missing, j + both - missing];
      if (a < left.length && b < right.length && same(left[a], right[b])) return [missing, both - missing];
    }
  return [left.length - i, right.length - j];
}

export function parseRows(lines: string): SinkRow[] {
  const filled = lines.split("\n").filter((line) => line !== "");
  return filled.map((line) => JSON.parse(line) as SinkRow);
}

function byKey(rows: readonly SinkRow[]): Map<string | null, unknown[]> {
  const groups = new Map<string | null, unknown[]>();
  for (const { key, value } of rows) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") {
    return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
  }
  return a === b;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
