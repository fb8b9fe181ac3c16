import { planKey } from "./content-key.ts";
import { inputsOf, type PlanNode, sourcesOf } from "./nodes/plan-node.ts";
import { placedAnew } from "./placement.ts";
import { print } from "./print.ts";

/** How the rows of a plan come in: from sources, and from where they were placed anew. */
interface Inputs {
  /** Those that its rows come from, read in one order. */
  readonly heads: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
  /** All below it that are read in one order. */
  readonly groups: readonly ReadonlySet<string>[];
  /** Rows placed anew -> the inputs that they come from. */
  readonly placed: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * The meetings of a plan whose other sides read their topics themselves, since their rows, read in one order with those they are made of, would wait for
 * themselves (docs/decisions/070); and the names of these topics. By names alone, as `placedAnew` does; what runs goes by the compiled plan.
 */
export function readAgain(terminal: PlanNode): ReadonlyMap<PlanNode, readonly string[]> {
  const found = new Map<PlanNode, readonly string[]>();
  const made = new Map<string, Inputs>();
  let copies = 0;
  const visit = (node: PlanNode): Inputs => {
    const key = planKey(node);
    let inputs = made.get(key);
    if (inputs === undefined) {
      inputs = ofNode(node, key);
      made.set(key, inputs);
    }
    return inputs;
  };
  const ofNode = (node: PlanNode, key: string): Inputs => {
    if (node.kind === "source") return alone(node.id);
    const anew = placedAnew(node);
    const sides = inputsOf(node).map((input, i) => {
      const keys = node.kind === "keyBy" ? node.keys : anew[i];
      return keys === undefined
        ? visit(input)
        : placedOf(visit(input), node.kind === "keyBy" ? key : `${planKey(input)} by ${keys.map(print)}`);
    });
    const together = joined(sides);
    if (!shareSources(sides) || !waits(together)) return together;
    found.set(node, topicsOf(inputsOf(node).slice(1)));
    return joined(sides.map((side, i) => (i === 0 ? side : renamed(side, `~${++copies}`))));
  };
  visit(terminal);
  return found;
}

const topicsOf = (nodes: readonly PlanNode[]): readonly string[] => [
  ...new Set(sourcesOf(nodes).flatMap(({ topics, pattern }) => (pattern === undefined ? topics : [`/${pattern}/`]))),
];

function alone(id: string): Inputs {
  const ids = new Set([id]);
  return { heads: ids, sources: ids, groups: [ids], placed: new Map() };
}

function placedOf({ heads, sources, groups, placed }: Inputs, id: string): Inputs {
  const ids = new Set([id]);
  return { heads: ids, sources, groups: [...groups, ids], placed: new Map([...placed, [id, heads]]) };
}

/** Several that meet are read in one order, and so is all that is read with one of them. */
function joined(sides: readonly Inputs[]): Inputs {
  const heads = union(sides.map((side) => side.heads));
  const groups: ReadonlySet<string>[] = [];
  for (const group of [...sides.flatMap((side) => side.groups), heads]) {
    const met = groups.filter((other) => !other.isDisjointFrom(group));
    for (const other of met) groups.splice(groups.indexOf(other), 1);
    groups.push(union([group, ...met]));
  }
  return {
    heads,
    sources: union(sides.map((side) => side.sources)),
    groups,
    placed: new Map(sides.flatMap((side) => [...side.placed])),
  };
}

const union = (sets: readonly ReadonlySet<string>[]): ReadonlySet<string> => new Set(sets.flatMap((set) => [...set]));

function renamed({ heads, sources, groups, placed }: Inputs, suffix: string): Inputs {
  const own = (ids: ReadonlySet<string>) => new Set([...ids].map((id) => `${id}${suffix}`));
  return {
    heads: own(heads),
    sources: own(sources),
    groups: groups.map(own),
    placed: new Map([...placed].map(([id, from]) => [`${id}${suffix}`, own(from)])),
  };
}

function shareSources(sides: readonly Inputs[]): boolean {
  return sides.some(({ sources }, i) => sides.slice(i + 1).some((other) => !sources.isDisjointFrom(other.sources)));
}

/** Whether what is read in one order has to wait for what is made of it. */
function waits({ groups, placed }: Inputs): boolean {
  const groupOf = (id: string) => groups.findIndex((group) => group.has(id));
  const after = groups.map(() => new Set<number>());
  for (const [id, from] of placed) for (const input of from) after[groupOf(input)]!.add(groupOf(id));
  const reaches = (from: number, to: number, seen: Set<number>): boolean =>
    [...after[from]!].some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))));
  return groups.some((_, group) => reaches(group, group, new Set()));
}
