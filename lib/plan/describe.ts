import type { Schema } from "../schema.ts";
import type { Wanted } from "./columns-read.ts";
import { hash } from "./content-key.ts";
import { headline } from "./explain.ts";
import { ownShape } from "./fingerprint.ts";
import { INPUTS, inputsOf, type PlanNode } from "./nodes/plan-node.ts";
import { rowsShape } from "./rows-shape.ts";

/** A store as a plan describes it. */
export interface StoreDescription {
  readonly name: string;
  readonly key: readonly string[];
  readonly schema: Schema;
  /** Equal where the store holds the same for the same records: what it keeps, and of which rows. */
  readonly content: string;
}

/** One node of a plan, as it can be kept beside state and compared with that of another plan. */
export interface NodeDescription {
  /** Unique in its plan; inputs come before the nodes that use them. */
  readonly id: string;
  readonly kind: string;
  /** As in `explain`. */
  readonly text: string;
  /** The node itself, without its inputs and without values of literals. */
  readonly shape: string;
  /** Ids of its inputs. */
  readonly inputs: readonly string[];
  readonly stores: readonly StoreDescription[];
}

/** A plan as JSON data. */
export interface PlanDescription {
  readonly nodes: readonly NodeDescription[];
}

/** What a compiled program knows of a node and its state. */
export interface NodeWithStores {
  readonly node: PlanNode;
  readonly key: string;
  readonly inputs: readonly { readonly key: string }[];
  readonly stores: readonly {
    readonly name: string;
    readonly key: readonly string[];
    readonly schema: Schema;
    /** What the store keeps, and of which columns of the first input, where that is less than all that the node does. */
    readonly keeps?: { readonly what: unknown; readonly of: Wanted };
  }[];
}

/** Describes a compiled plan, inputs before the nodes that use them. */
export function describePlan(nodes: readonly NodeWithStores[], schemas: ReadonlyMap<string, Schema>): PlanDescription {
  const ids = new Map(nodes.map(({ key }, i) => [key, `n${i + 1}`]));
  return {
    nodes: nodes.map(({ node, key, inputs, stores }) => ({
      id: ids.get(key)!,
      kind: node.kind,
      text: headline(node),
      shape: hash(withoutInputs(ownShape(node, schemas))),
      inputs: inputs.map((input) => ids.get(input.key)!),
      stores: stores.map(({ keeps, ...store }, place) => ({
        name: store.name,
        key: store.key,
        schema: store.schema,
        content: hash(
          keeps === undefined
            ? [rowsShape(node, "all", schemas), place]
            : [keeps.what, rowsShape(inputsOf(node)[0]!, keeps.of, schemas)],
        ),
      })),
    })),
  };
}

function withoutInputs(own: unknown): unknown {
  return Object.entries(own as object).filter(([name]) => !INPUTS.includes(name));
}
