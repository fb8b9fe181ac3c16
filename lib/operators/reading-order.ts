import { type PlanNode, withInputs } from "../plan/nodes/plan-node.ts";
import { repartitionNode } from "../plan/nodes/repartition-node.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import type { Schema } from "../schema.ts";
import { compile, type Program } from "./program.ts";

/**
 * Rows of several inputs with equal times have an order: of a join the right side comes first, of a concat the first frame. And inputs that meet have
 * one watermark. Terminals that run together share their inputs, and so both; where one terminal would give something else than alone
 * (`a.joinAsof(b)` beside `b.joinAsof(a)`; windows over `a` that a later `b` would close), it gets sources of its own, with other ids over the same topics.
 * @param schemas as for `compile`
 * @returns the terminals, and the schemas with those of the added sources; both as they were where nothing disagrees
 */
export function inOwnOrders<T extends PlanNode>(
  terminals: readonly T[],
  schemas: ReadonlyMap<string, Schema>,
): { readonly terminals: readonly T[]; readonly schemas: ReadonlyMap<string, Schema> } {
  if (terminals.length < 2) return { terminals, schemas };
  const alone = terminals.map((terminal) => compile([terminal], schemas));
  const agree = (members: readonly number[]): boolean => {
    const joint = compile(
      members.map((member) => terminals[member]!),
      schemas,
    );
    return members.every((member) => keepsOrder(joint, alone[member]!));
  };
  if (!alone.some(({ groups }) => groups.some(({ inputs }) => inputs.length > 1)) || agree([...terminals.keys()]))
    return { terminals, schemas };

  const parts: number[][] = [];
  for (const at of terminals.keys()) {
    const part = parts.find((members) => agree([...members, at]));
    if (part === undefined) parts.push([at]);
    else part.push(at);
  }
  const added = new Map(schemas);
  const own = terminals.map((terminal, at) => {
    const part = parts.findIndex((members) => members.includes(at));
    return part === 0 ? terminal : (withOwnSources(terminal, part + 1, added) as T);
  });
  return { terminals: own, schemas: added };
}

function keepsOrder(joint: Program, alone: Program): boolean {
  return alone.groups.every(({ inputs, watermark }) => {
    const shared = joint.groups.find((group) => group.inputs.includes(inputs[0]!))!.inputs;
    const own = watermark ? shared : shared.filter((id) => inputs.includes(id));
    return own.join() === inputs.join();
  });
}

/** The id of the source that an added one is like; any other as it is. */
export const sharedId = (id: string): string => id.replace(/~\d+$/, "");

function withOwnSources(node: PlanNode, part: number, schemas: Map<string, Schema>): PlanNode {
  if (node.kind === "source") {
    const source: SourceNode = Object.freeze({ ...node, id: `${node.id}~${part}` });
    schemas.set(source.id, schemas.get(node.id)!);
    return source;
  }
  const own = withInputs(node, (input) => withOwnSources(input, part, schemas));
  // its id names what comes back from it
  if (own.kind !== "keyBy") return own;
  const { input, keys, named, everywhere } = own;
  return repartitionNode({ input, keys, named, ...(everywhere && { everywhere }) });
}
