import { inputsOf, nodesOf, type PlanNode } from "../plan/nodes/plan-node.ts";
import type { Schema } from "../schema.ts";
import { waitsForItself, withOwnSources, withoutWaiting } from "./own-sources.ts";
import { compile, type Program } from "./program.ts";

/**
 * Rows of several inputs with equal times have an order: of a join the right side comes first, of a concat the first frame. And inputs that meet have
 * one watermark. Terminals that run together share their inputs, and so both; where one terminal would give something else than alone
 * (`a.joinAsof(b)` beside `b.joinAsof(a)`; windows over `a` that a later `b` would close), it gets sources of its own, with other ids over the same topics.
 * So does, within a terminal, what would wait for itself.
 * @param schemas as for `compile`
 * @returns the terminals, and the schemas with those of the added sources; both as they were where nothing disagrees
 */
export function inOwnOrders<T extends PlanNode>(
  declared: readonly T[],
  schemas: ReadonlyMap<string, Schema>,
): { readonly terminals: readonly T[]; readonly schemas: ReadonlyMap<string, Schema> } {
  // without rows that meet there is one order
  if (nodesOf(declared).every((node) => inputsOf(node).length < 2)) return { terminals: declared, schemas };
  const added = new Map(schemas);
  const own = declared.map(withoutWaiting(added)) as T[];
  return { terminals: agreeing(own, added), schemas: added };
}

/** @param schemas gets those of the new sources */
function agreeing<T extends PlanNode>(terminals: readonly T[], schemas: Map<string, Schema>): readonly T[] {
  if (terminals.length < 2) return terminals;
  const alone = terminals.map((terminal) => compile([terminal], schemas));
  const agree = (members: readonly number[]): boolean => {
    const joint = compile(
      members.map((member) => terminals[member]!),
      schemas,
    );
    return !waitsForItself(joint) && members.every((member) => keepsOrder(joint, alone[member]!));
  };
  if (!alone.some(({ groups }) => groups.some(({ inputs }) => inputs.length > 1)) || agree([...terminals.keys()]))
    return terminals;

  const parts: number[][] = [];
  for (const at of terminals.keys()) {
    const part = parts.find((members) => agree([...members, at]));
    if (part === undefined) parts.push([at]);
    else part.push(at);
  }
  return terminals.map((terminal, at) => {
    const part = parts.findIndex((members) => members.includes(at));
    return part === 0 ? terminal : (withOwnSources(terminal, String(part + 1), schemas) as T);
  });
}

function keepsOrder(joint: Program, alone: Program): boolean {
  return alone.groups.every(({ inputs, watermark }) => {
    const shared = joint.groups.find((group) => group.inputs.includes(inputs[0]!))!.inputs;
    const own = watermark ? shared : shared.filter((id) => inputs.includes(id));
    return own.join() === inputs.join();
  });
}
