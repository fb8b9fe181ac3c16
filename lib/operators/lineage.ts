import { Refusal } from "../error.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import { print } from "../plan/print.ts";
import { type ExprTree, withoutAlias } from "../plan/tree.ts";

/** Which columns still hold, unchanged, what rows are placed by (the record key, or that of a keyBy) and the event time. */
export interface Lineage {
  readonly source: SourceNode;
  /** Columns that hold what rows are placed by; computed keys by their text, see {@link nameOf}. */
  readonly key: ReadonlySet<string>;
  /** Where rows are placed by several values together: the columns of the others. */
  readonly others?: readonly ReadonlySet<string>[];
  /** All rows are in one partition. */
  readonly single?: boolean;
  readonly time: ReadonlySet<string>;
  /** How far a column of event time lags behind `_time`, in ms, where it does. */
  readonly lags?: ReadonlyMap<string, number>;
}

export function sourceLineage(source: SourceNode): Lineage {
  return {
    source,
    key: new Set(["_key", ...(source.key === undefined ? [] : [source.key])]),
    time: new Set(["_time", ...(source.time === undefined ? [] : [source.time])]),
  };
}

/** The lineage after columns were made by these expressions, by name; `kept` are those that stay as they are. */
export function lineageAfter(
  before: Lineage,
  made: ReadonlyMap<string, ExprTree>,
  kept: (name: string) => boolean,
): Lineage {
  const after = (names: ReadonlySet<string>): Set<string> => {
    const result = new Set([...names].filter((name) => name.startsWith("_") || (kept(name) && !made.has(name))));
    for (const name of result) if (name.startsWith(COMPUTED)) result.delete(name); // its columns may be others now
    for (const [name, tree] of made) if (names.has(columnBehind(tree) ?? "")) result.add(name);
    return result;
  };
  return {
    ...before,
    key: after(before.key),
    ...othersOf(before, after),
    time: after(before.time),
    ...(before.lags && { lags: lagsAfter(before.lags, made, kept) }),
  };
}

function lagsAfter(
  lags: ReadonlyMap<string, number>,
  made: ReadonlyMap<string, ExprTree>,
  kept: (name: string) => boolean,
): ReadonlyMap<string, number> {
  const after = new Map([...lags].filter(([name]) => kept(name) && !made.has(name)));
  for (const [name, tree] of made) {
    const lag = lags.get(columnBehind(tree) ?? "");
    if (lag !== undefined) after.set(name, lag);
  }
  return after;
}

function othersOf({ others }: Lineage, after: (names: ReadonlySet<string>) => Set<string>): Pick<Lineage, "others"> {
  return others === undefined ? {} : { others: others.map(after) };
}

/** The lineage of groups: one row per combination of keys, by the names they have there. The time of a group is `_time`. */
export function groupedLineage(before: Lineage, names: readonly string[], keys: readonly ExprTree[]): Lineage {
  const after = (held: ReadonlySet<string>): Set<string> =>
    new Set([...[...held].filter((name) => name === "_key"), ...names.filter((_, i) => held.has(nameOf(keys[i]!)))]);
  return { ...before, key: after(before.key), ...othersOf(before, after), time: new Set(["_time"]) };
}

/** The lineage of rows that were placed anew. @param named whether `_key` is the new key */
export function placedLineage(before: Lineage, keys: readonly ExprTree[], named: boolean): Lineage {
  const { key: _, others: __, single: ___, ...rest } = before;
  const [first, ...others] = keys.map((key) => new Set([nameOf(key)]));
  if (first === undefined) return { ...rest, key: new Set(), single: true };
  if (others.length > 0) return { ...rest, key: first, others };
  return { ...rest, key: named ? first.add("_key") : first };
}

/** Whether rows with equal keys are in the same partition. */
export function coPartitioned(keys: readonly ExprTree[], { key, others = [], single = false }: Lineage): boolean {
  const names = keys.map(nameOf);
  return single || [key, ...others].every((part) => names.some((name) => part.has(name)));
}

const COMPUTED = "\u00a7";

/** The column that a key is, or for a computed one its text. */
export function nameOf(key: ExprTree): string {
  return columnBehind(key) ?? `${COMPUTED}${print(withoutAlias(key))}`;
}

/** The column an expression merely names anew. */
function columnBehind(tree: ExprTree): string | undefined {
  const bare = withoutAlias(tree);
  return bare.kind === "col" ? bare.name : undefined;
}

/**
 * Checks that rows with equal keys are in the same partition: the keys contain the record key.
 * @throws Refusal `NEEDS_REPARTITION`
 */
export function checkCoPartitioned(keys: readonly ExprTree[], lineage: Lineage, where: string): void {
  if (coPartitioned(keys, lineage)) return;
  const { source } = lineage;
  const topic =
    source.pattern === undefined ? source.topics.map((name) => `"${name}"`).join(", ") : `/${source.pattern}/`;
  const names = keys.map(print).join(", ");
  throw new Refusal({
    code: "NEEDS_REPARTITION",
    what:
      keys.length === 0
        ? "without a key, rows of all partitions would have to meet in one, and that is not built yet"
        : `rows with equal ${names} may lie in different partitions: the record key is not among the keys`,
    where,
    remedies:
      source.key === undefined
        ? [
            `say which column holds the record key: topic(${topic}, { key: … }), and use it here`,
            "produce the topic keyed by the column you need",
          ]
        : [
            `use the record key "${source.key}" here, alone or with other keys`,
            `produce ${topic} keyed by the column you need`,
          ],
  });
}
