import type { ConcatNode } from "./concat-node.ts";
import type { JoinAsOfNode } from "./join-as-of-node.ts";
import type { JoinNode } from "./join-node.ts";
import type { JoinStaticNode } from "./join-static-node.ts";
import type { JoinTableNode } from "./join-table-node.ts";
import type { JoinTablesNode } from "./join-tables-node.ts";
import type { TableNode } from "./table-node.ts";

/** Verbs in which rows meet others: of another stream, or of a table. */
export type MeetingNode =
  | ConcatNode
  | JoinAsOfNode
  | JoinNode
  | JoinStaticNode
  | JoinTableNode
  | JoinTablesNode
  | TableNode;
