import { Refusal } from "../error.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import { print } from "../plan/print.ts";
import type { ExprTree } from "../plan/tree.ts";

/** Which columns still hold, unchanged, the record key and the event time. */
export interface Lineage {
  readonly source: SourceNode;
  readonly key: ReadonlySet<string>;
  readonly time: ReadonlySet<string>;
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
    for (const [name, tree] of made) if (names.has(columnBehind(tree) ?? "")) result.add(name);
    return result;
  };
  return { source: before.source, key: after(before.key), time: after(before.time) };
}

/** The column an expression merely names anew. */
function columnBehind(tree: ExprTree): string | undefined {
  if (tree.kind === "col") return tree.name;
  if (tree.kind === "call" && (tree.fn === "alias" || tree.fn === "as")) return columnBehind(tree.self);
  return undefined;
}

/**
 * Checks that rows with equal keys are in the same partition: the keys contain the record key.
 * @throws Refusal `NEEDS_REPARTITION`
 */
export function checkCoPartitioned(keys: readonly ExprTree[], lineage: Lineage, where: string): void {
  if (keys.some((key) => lineage.key.has(columnBehind(key) ?? ""))) return;
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
