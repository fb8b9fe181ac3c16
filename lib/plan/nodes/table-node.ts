import type { SourceNode } from "./source-node.ts";

/** The newest row per record key of a compacted topic; a record without a value (tombstone) deletes its key's row. */
export interface TableNode {
  readonly kind: "table";
  readonly input: SourceNode;
  readonly key: string;
}

export function tableNode(options: Omit<TableNode, "kind">): TableNode {
  return Object.freeze({ kind: "table", ...options });
}
