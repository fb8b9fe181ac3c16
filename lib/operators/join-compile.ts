import { Refusal } from "../error.ts";
import { joinKeys } from "../plan/keys-of.ts";
import type { MeetingNode } from "../plan/nodes/meeting-node.ts";
import { inputsOf, nodesOf, type PlanNode } from "../plan/nodes/plan-node.ts";
import { isForeign } from "../plan/table-keys.ts";
import { colTree, type ExprTree } from "../plan/tree.ts";
import type { Compiled } from "./compile.ts";
import { compileConcat } from "./concat.ts";
import { compileAsOf, compileJoinTable } from "./join-as-of-plan.ts";
import { compileForeign } from "./join-foreign.ts";
import { compileInterval } from "./join-interval-plan.ts";
import { compileLatest } from "./join-latest.ts";
import { compileStatic } from "./join-static.ts";
import { compileTable, compileTables } from "./join-tables.ts";
import { coPartitioned } from "./lineage.ts";

type CompiledMeeting = Partial<Compiled> & Pick<Compiled, "steps" | "schema" | "lineage" | "used">;

/** Joins, tables and concat. @throws Refusal for what has no exact streaming meaning */
export function compileMeeting(
  node: MeetingNode,
  inputs: readonly Compiled[],
  storeName: (name: string) => string,
): CompiledMeeting {
  const [left, right] = inputs as [Compiled, Compiled];
  switch (node.kind) {
    case "concat":
      return compileConcat(inputs);
    case "table":
      return compileTable(node, left);
    case "joinStatic":
      return compileStatic(node, left);
    case "joinAsof":
      refuseUpdates(left, right, "joinAsof");
      return compileAsOf(node, left, right, storeName);
    case "join":
      refuseUpdates(left, right, "join");
      return compileInterval(node, left, right, storeName);
    case "joinTable":
      refuseUpdates(left, left, "join");
      // its rows are those of the stream, each given once, however often the table's are replaced
      return {
        ...(node.history === undefined
          ? compileLatest(node, left, right, storeName)
          : compileJoinTable(node, left, right, storeName)),
        updating: false,
      };
    case "joinTables":
      return (isForeign(node) ? compileForeign : compileTables)(node, left, right, storeName);
  }
}

/** In which order the inputs of a node are read where event times are equal: of a join the right side first, so that left rows see it. */
export function inReadingOrder(node: PlanNode): readonly PlanNode[] {
  const inputs = inputsOf(node);
  return joinKeys(node) === undefined ? inputs : [...inputs].reverse();
}

/** The sides that rows of other inputs look into, of whole plans: they are read first, whichever join of the program comes first. */
export function readFirst(terminals: readonly PlanNode[]): readonly PlanNode[] {
  return nodesOf(terminals).flatMap((node) => (joinKeys(node) === undefined ? [] : [inputsOf(node)[1]!]));
}

/**
 * The two sides of a join with rows of equal keys in partitions of the same number: as they are where both are placed by the same one of the
 * keys, else one or both placed anew.
 */
export function placedSides(
  node: PlanNode,
  inputs: readonly Compiled[],
  placed: (input: Compiled, keys: readonly ExprTree[]) => Compiled,
  everywhere: (input: Compiled) => Compiled,
): readonly Compiled[] {
  const keys = joinKeys(node);
  if (keys === undefined) return inputs;
  const [left, right] = inputs as [Compiled, Compiled];
  if (node.kind === "joinTables" && isForeign(node)) return [left, everywhere(right)];
  const by = [keys.left.map(colTree), keys.right.map(colTree)] as const;
  const place = (compiled: Compiled, trees: readonly ExprTree[]): number =>
    compiled.lineage.others === undefined ? trees.findIndex((tree) => coPartitioned([tree], compiled.lineage)) : -1;
  const [l, r] = [place(left, by[0]), place(right, by[1])];
  const single = left.lineage.single === true && right.lineage.single === true;
  if (single || (l >= 0 && l === r)) return inputs;
  if (node.kind === "joinTables" || node.kind === "joinTable") refuseTable(node, l, r);
  if (l >= 0) return [left, placed(right, [by[1][l]!])];
  if (r >= 0) return [placed(left, [by[0][r]!]), right];
  return [placed(left, by[0].slice(0, 1)), placed(right, by[1].slice(0, 1))];
}

function refuseTable(node: { leftOn: readonly string[]; rightOn: readonly string[] }, l: number, r: number): void {
  if (r >= 0 && l < 0 && "history" in node) return;
  throw new Refusal({
    code: "NEEDS_REPARTITION",
    what: `a table stays where its topic's keys place it, and ${node.rightOn.join(", ")} is not the key of its records, or ${node.leftOn.join(", ")} not that of the other table's`,
    where: "join",
    remedies: [
      "join on the table's key: the column named in table(…, { key })",
      "write it to a topic keyed by the column you need: .to(…, { key }), and open that as a table",
      "where the table does not change, load it whole: table(await …collect(), { key })",
    ],
  });
}

function refuseUpdates(left: Compiled, right: Compiled, where: string): void {
  if (!left.updating && !(right.updating && right.node.kind !== "table")) return;
  throw new Refusal({
    code: "NO_EXACT_STREAMING_MEANING",
    what: "a join over rows that are updates has no exact meaning on a stream: how often a row is updated depends on how records fall into batches",
    where,
    remedies: [
      'let windows give their row once, when they close: emit: "close"',
      "write the updates to a compacted topic, and join it as a table: table(…, { key })",
    ],
  });
}
