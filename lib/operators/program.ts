import { Refusal } from "../error.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import type { Schema } from "../schema.ts";
import type { OpenStore, StoreSpec } from "../state/store.ts";
import type { Task } from "./task.ts";

/** What a program reads from one source. */
export interface ProgramSource {
  readonly id: string;
  readonly node: SourceNode;
  readonly schema: Schema;
  /** The columns of `schema` that the program uses, in schema order. A value that does not fit one of them makes the record bad. */
  readonly columns: readonly string[];
  /** Whether frames must carry `_headers`. */
  readonly needsHeaders: boolean;
}

/** What a program makes: the rows of one sink or view. */
export interface ProgramTerminal {
  /** A sink's own id; `view`, `view-2`, … for the others. */
  readonly id: string;
  readonly node: PlanNode;
  /** Of the rows, metadata columns (those with `_`) included. */
  readonly schema: Schema;
}

/** A plan, compiled: the same object for notebook and job. */
export interface Program {
  readonly sources: readonly ProgramSource[];
  readonly terminals: readonly ProgramTerminal[];
  readonly stores: readonly StoreSpec[];
  readonly fingerprint: string;
  /** Opens the state of one partition and goes on from it. */
  open(openStore: OpenStore): Promise<Task>;
}

/**
 * Compiles plans that run together; what they share is computed once.
 * @param schemas the schema of each source, by the source node's id
 * @throws Refusal for what has no exact streaming meaning
 */
export function compile(terminals: readonly PlanNode[], schemas: ReadonlyMap<string, Schema>): Program {
  throw new Refusal({ code: "NOT_BUILT", what: `compile is on its way (${terminals.length}, ${schemas.size})` });
}
