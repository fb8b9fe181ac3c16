import { hash } from "./content-key.ts";
import type { NodeDescription, PlanDescription, StoreDescription } from "./describe.ts";

/** What became of a store from one plan to another. */
export interface StoreChange {
  /** Its name in the new plan; in the old one where it is dropped. */
  readonly name: string;
  /**
   * `survives`: what it holds is what the new plan would have kept. `rebuilt`: the new plan has a store of this name that holds something
   * else. `new`: the old plan has none such. `dropped`: the new plan has no use for it.
   */
  readonly becomes: "survives" | "rebuilt" | "new" | "dropped";
  /** Its name in the old plan, where that was another. */
  readonly from?: string;
  readonly why: string;
}

/** What differs between two plans. Texts are those of `explain`. */
export interface PlanDiff {
  /** Nothing differs but values of literals, at most. */
  readonly same: boolean;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly from: string; readonly to: string; readonly values: boolean }[];
  readonly stores: readonly StoreChange[];
}

/**
 * Compares two plans: nodes added, removed and changed, and which stores survive. A store survives when the rows it is made of, as far as it
 * uses their columns, and what it keeps of them are the same; other values of literals do not count, as in the fingerprint.
 */
export function planDiff(from: PlanDescription, to: PlanDescription): PlanDiff {
  const nodes = pairNodes(from.nodes, to.nodes);
  const changed = nodes.pairs
    .filter(([a, b]) => a.text !== b.text || a.shape !== b.shape)
    .map(([a, b]) => ({ from: a.text, to: b.text, values: a.shape === b.shape }));
  const stores = pairStores(from, to, nodes);
  return {
    same: nodes.added.length + nodes.removed.length === 0 && changed.every(({ values }) => values),
    added: nodes.added.map(({ text }) => text),
    removed: nodes.removed.map(({ text }) => text),
    changed,
    stores,
  };
}

/** The difference as lines of text: `+` added, `-` removed, `~` changed, then one line per store. */
export function printPlanDiff(diff: PlanDiff): string {
  return [
    ...diff.removed.map((text) => `- ${text}`),
    ...diff.added.map((text) => `+ ${text}`),
    ...diff.changed.map(({ from, to, values }) => `~ ${from}\n  ${to}${values ? "\n  (other values only)" : ""}`),
    ...diff.stores.map(
      ({ name, becomes, from, why }) =>
        `state ${name}${from === undefined ? "" : ` (was ${from})`}: ${becomes}; ${why}`,
    ),
  ].join("\n");
}

interface Pairing {
  readonly pairs: readonly (readonly [NodeDescription, NodeDescription])[];
  readonly added: readonly NodeDescription[];
  readonly removed: readonly NodeDescription[];
}

/** Pairs equal sub-plans first, then equal nodes, then nodes of one kind in order: a node is changed rather than another one. */
function pairNodes(from: readonly NodeDescription[], to: readonly NodeDescription[]): Pairing {
  const [wholeFrom, wholeTo] = [subPlans(from), subPlans(to)];
  const partner = new Map<NodeDescription, NodeDescription>();
  const left = new Set(to);
  const pairBy = (signature: (node: NodeDescription, old: boolean) => string): void => {
    for (const node of from) {
      if (partner.has(node)) continue;
      const wanted = signature(node, true);
      const found = [...left].find((other) => signature(other, false) === wanted);
      if (found === undefined) continue;
      partner.set(node, found);
      left.delete(found);
    }
  };
  pairBy((node, old) => `${(old ? wholeFrom : wholeTo).get(node.id)} ${node.text}`);
  pairBy((node) => `${node.shape} ${node.text}`);
  pairBy((node) => `${node.kind} ${node.shape}`);
  pairBy((node) => node.kind);
  return {
    pairs: from.flatMap((node) => {
      const other = partner.get(node);
      return other === undefined ? [] : [[node, other] as const];
    }),
    added: to.filter((node) => left.has(node)),
    removed: from.filter((node) => !partner.has(node)),
  };
}

/** Per node a hash over it and everything it is made of. */
function subPlans(nodes: readonly NodeDescription[]): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const { id, shape, inputs } of nodes) hashes.set(id, hash([shape, ...inputs.map((input) => hashes.get(input))]));
  return hashes;
}

function pairStores(from: PlanDescription, to: PlanDescription, nodes: Pairing): StoreChange[] {
  const old = from.nodes.flatMap(({ stores }) => stores);
  const wanted = to.nodes.flatMap((node) => node.stores.map((store) => ({ node, store })));
  const used = new Set<StoreDescription>();
  const survivors = new Map<StoreDescription, StoreDescription>();
  // a store of the same name first, so that two of the same content keep theirs
  for (const sameName of [true, false])
    for (const { store } of wanted) {
      if (survivors.has(store)) continue;
      const found = old.find(
        (other) => !used.has(other) && holdsTheSame(other, store) && (!sameName || other.name === store.name),
      );
      if (found === undefined) continue;
      survivors.set(store, found);
      used.add(found);
    }
  const names = new Map(old.filter((store) => !used.has(store)).map((store) => [store.name, store]));
  const changes = wanted.map(({ node, store }): StoreChange => {
    const survivor = survivors.get(store);
    if (survivor !== undefined) {
      const renamed = survivor.name === store.name ? {} : { from: survivor.name };
      return { name: store.name, becomes: "survives", ...renamed, why: "it is made of the same rows in the same way" };
    }
    const before = names.get(store.name);
    if (before === undefined) return { name: store.name, becomes: "new", why: `"${node.text}" keeps it` };
    used.add(before);
    return { name: store.name, becomes: "rebuilt", why: whyRebuilt(before, store, node, to, nodes) };
  });
  const dropped = old
    .filter((store) => !used.has(store))
    .map(({ name }): StoreChange => ({ name, becomes: "dropped", why: "no verb of the new plan keeps it" }));
  return [...changes, ...dropped];
}

function holdsTheSame(a: StoreDescription, b: StoreDescription): boolean {
  return a.content === b.content && hash([a.key, a.schema]) === hash([b.key, b.schema]);
}

/** The nearest difference: the store's own shape, its verb, or the first verb before it that differs. */
function whyRebuilt(
  before: StoreDescription,
  store: StoreDescription,
  node: NodeDescription,
  plan: PlanDescription,
  { pairs, added }: Pairing,
): string {
  const fresh = new Set(added.map(({ id }) => id));
  const changed = new Map(pairs.filter(([a, b]) => a.shape !== b.shape).map(([a, b]) => [b.id, a]));
  const self = changed.get(node.id);
  if (self !== undefined) return `"${self.text}" became "${node.text}"`;
  const byId = new Map(plan.nodes.map((other) => [other.id, other]));
  const upstream = (id: string): NodeDescription[] => {
    const at = byId.get(id)!;
    return [...at.inputs.flatMap(upstream), at];
  };
  for (const at of upstream(node.id)) {
    if (fresh.has(at.id)) return `"${at.text}" comes before it now`;
    const was = changed.get(at.id);
    if (was !== undefined) return `"${was.text}" before it became "${at.text}"`;
  }
  if (hash([before.key, before.schema]) !== hash([store.key, store.schema])) return "its columns have other types";
  return "a verb before it was taken out or moved";
}
