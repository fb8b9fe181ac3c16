import type { FormatName } from "../../format/names.ts";
import type { Schema } from "../../schema.ts";
import { columnsOf, type ExprTree } from "../tree.ts";

/** Where rows come from: one topic, several, or every topic whose name matches a pattern. */
export interface SourceNode {
  readonly kind: "source";
  readonly id: string;
  readonly topics: readonly string[];
  /** A regular expression over topic names, as its source; then `topics` is empty. */
  readonly pattern?: string;
  readonly format: FormatName;
  /** The column that holds the record key. */
  readonly key?: string;
  /** The column that holds the event time; without it event time is the record's timestamp. */
  readonly time?: string;
  /** In its place: an expression over the columns, */
  readonly timeOf?: ExprTree;
  /** or a function of a row; its text stands for it in keys and fingerprints. */
  readonly timeCode?: string;
  readonly timeFn?: (row: any) => number | bigint | Date | string | null | undefined;
  /**
   * After this many ms of the wall clock without a record, a partition no longer holds back rows of others where rows are placed anew.
   * Without it they wait for it.
   */
  readonly idle?: number;
  /** A record without a value is a row that deletes its key's: `_delete` is true, and every column but the key null. Else it is a bad record. */
  readonly tombstones?: boolean;
  /** Given by the program or frozen by promotion; otherwise inferred by the reader. */
  readonly schema?: Schema;
}

export function sourceNode(options: Omit<SourceNode, "kind">): SourceNode {
  return Object.freeze({ kind: "source", ...options });
}

/** The columns that a source's event time is made of. */
export function timeColumns({ time, timeOf, timeCode }: SourceNode): ReadonlySet<string> | "all" {
  if (timeCode !== undefined) return "all";
  return new Set(timeOf === undefined ? (time === undefined ? [] : [time]) : columnsOf(timeOf));
}
