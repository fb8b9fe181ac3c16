import { createHash } from "node:crypto";
import { INPUTS, inputsOf, nodesOf, type PlanNode } from "./nodes/plan-node.ts";

const keys = new WeakMap<PlanNode, string>();

/** Equal for equal plans, whether or not they are the same objects: a hash over everything a node holds, its inputs included. */
export function contentKey(node: PlanNode): string {
  let key = keys.get(node);
  if (key === undefined) {
    key = hash([Object.entries(node).filter(([name]) => !INPUTS.includes(name)), inputsOf(node).map(contentKey)]);
    keys.set(node, key);
  }
  return key;
}

/**
 * Equal for equal plans with the same functions: functions of equal text may hold other values of the variables around them. It holds for
 * this process only.
 */
export function planKey(node: PlanNode): string {
  const ids = nodesOf([node]).flatMap((part) =>
    Object.values(part).flatMap((value) => (typeof value === "function" ? [functionId(value)] : [])),
  );
  return ids.length === 0 ? contentKey(node) : `${contentKey(node)}-${ids.join("-")}`;
}

const functionIds = new WeakMap<object, number>();
let functions = 0;

function functionId(fn: object): number {
  let id = functionIds.get(fn);
  if (id === undefined) {
    id = ++functions;
    functionIds.set(fn, id);
  }
  return id;
}

/** A hash over JSON data in which the order of object keys does not count. */
export function hash(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, 16);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** A readable id that is the same for the same content: `phone-data-3f2a91c4`. */
export function contentId(name: string, content: unknown): string {
  return `${name.replace(/[^\w.+-]+/g, "_")}-${hash(content).slice(0, 8)}`;
}
