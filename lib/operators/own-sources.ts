import { inputsOf, type PlanNode, withInputs } from "../plan/nodes/plan-node.ts";
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
  const own = withInputs(node, (input) => withOwnSources(input, name, schemas));
  // its id names what comes back from it
  if (own.kind !== "keyBy") return own;
  const { input, keys, named, everywhere } = own;
  return repartitionNode({ input, keys, named, ...(everywhere && { everywhere }) });
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
 * The plan with sources of their own wherever rows would {@link waitsForItself wait for themselves}: of what meets there, all but the first reads its
 * topics itself.
 * @param schemas gets those of the new sources
 */
export function withoutWaiting(plan: PlanNode, schemas: Map<string, Schema>): PlanNode {
  const made = new Map<PlanNode, PlanNode>();
  let names = 1;
  const visit = (node: PlanNode): PlanNode => {
    const known = made.get(node);
    if (known !== undefined) return known;
    let own = inputsOf(node).some((input) => visit(input) !== input) ? withInputs(node, visit) : node;
    if (inputsOf(own).length > 1 && waitsForItself(compile([own], schemas))) {
      const [first] = inputsOf(own);
      own = withInputs(own, (input) => (input === first ? input : withOwnSources(input, `own${++names}`, schemas)));
    }
    made.set(node, own);
    return own;
  };
  return visit(plan);
}
