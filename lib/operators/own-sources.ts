import { planKey } from "../plan/content-key.ts";
import { inputsOf, type PlanNode, sourcesOf, withInputs } from "../plan/nodes/plan-node.ts";
import { repartitionNode } from "../plan/nodes/repartition-node.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import type { Schema } from "../schema.ts";
import { compile, type Program } from "./program.ts";

/**
 * A plan over sources of its own: others over the same topics, which are read beside those.
 * @param name what tells their ids from those of the others
 * @param schemas gets those of the new sources
 */
export function withOwnSources(node: PlanNode, name: string, schemas: Map<string, Schema>): PlanNode {
  if (node.kind === "source") {
    const source: SourceNode = Object.freeze({ ...node, id: `${node.id}~${name}` });
    schemas.set(source.id, schemas.get(node.id)!);
    return source;
  }
  return withNewId(withInputs(node, (input) => withOwnSources(input, name, schemas)));
}

/** The id of the source that an added one is like; any other as it is. */
export const sharedId = (id: string): string => id.replace(/(~(?:own)?\d+)+$/, "");

/**
 * Whether rows would wait for themselves: they are read in one order with rows that come of them and were placed anew (`a.join(b)`, where `b` are the
 * windows over `a` by another key, placed by the key of `a` again).
 */
export function waitsForItself({ groups, repartitions }: Program): boolean {
  const groupOf = (id: string): number => groups.findIndex(({ inputs }) => inputs.includes(id));
  const after = groups.map(() => new Set<number>());
  for (const { id, from } of repartitions) for (const input of from) after[groupOf(input)]!.add(groupOf(id));
  const done = new Set<number>();
  const reaches = (group: number, path: ReadonlySet<number>): boolean => {
    if (path.has(group)) return true;
    if (done.has(group)) return false;
    done.add(group);
    return [...after[group]!].some((next) => reaches(next, new Set([...path, group])));
  };
  return groups.some((_, group) => reaches(group, new Set()));
}

/**
 * Gives plans sources of their own wherever rows would {@link waitsForItself wait for themselves}: of what meets there, all but the first reads its
 * topics itself. Equal plans stay equal.
 * @param schemas gets those of the new sources
 */
export function withoutWaiting(schemas: Map<string, Schema>): (plan: PlanNode) => PlanNode {
  const made = new Map<string, PlanNode>();
  let names = 1;
  const visit = (node: PlanNode): PlanNode => {
    const key = planKey(node);
    let own = made.get(key);
    if (own === undefined) {
      own = inputsOf(node).some((input) => visit(input) !== input) ? withNewId(withInputs(node, visit)) : node;
      if (sharesSources(own) && waitsForItself(compile([own], schemas))) {
        const [first] = inputsOf(own);
        own = withInputs(own, (input) => (input === first ? input : withOwnSources(input, `own${++names}`, schemas)));
      }
      made.set(key, own);
    }
    return own;
  };
  return visit;
}

/** Whether inputs that meet have a source in common: else nothing of one comes of the other. */
function sharesSources(node: PlanNode): boolean {
  const inputs = inputsOf(node).map((input) => new Set(sourcesOf([input]).map(({ id }) => id)));
  return inputs.some((ids, i) => inputs.slice(i + 1).some((others) => !ids.isDisjointFrom(others)));
}

/** What comes back from rows placed anew is named by the id of their node. */
function withNewId(node: PlanNode): PlanNode {
  if (node.kind !== "keyBy") return node;
  const { input, keys, named, everywhere } = node;
  return repartitionNode({ input, keys, named, ...(everywhere && { everywhere }) });
}
