import type { MimeBundle } from "../../lib/run/host.ts";
import type { JournalEntry } from "./journal.ts";
import type { ErrorContent } from "./outputs.ts";

export interface ExecuteRequest {
  readonly code: string;
  /** The notebook's id of the cell: a second execution with the same id closes what the first opened. */
  readonly cellId?: string;
  /** Ids of cells deleted since the last request: what they opened is closed. */
  readonly deletedCells?: readonly string[];
  /** No output, no history, no count. */
  readonly silent?: boolean;
  /** False leaves the execution count as it is. */
  readonly storeHistory?: boolean;
  /** name -> expression, evaluated after the cell. */
  readonly userExpressions?: Readonly<Record<string, string>>;
  /** The queue the request came through; cells of different queues run side by side, each while the others await something. */
  readonly subshell?: string | undefined;
  /** Nobody watches: live cells are bounded, hold the cell busy and leave a final snapshot. */
  readonly headless?: boolean;
}

export type ExpressionResult =
  | { readonly status: "ok"; readonly data: MimeBundle; readonly metadata: Record<string, unknown> }
  | ({ readonly status: "error" } & ErrorContent);

export type ExecuteResult =
  | {
      readonly status: "ok";
      readonly executionCount: number;
      readonly userExpressions: Readonly<Record<string, ExpressionResult>>;
      /** What `page` was given: for the client's pager. */
      readonly pages: readonly MimeBundle[];
      readonly journal: JournalEntry;
    }
  | ({
      readonly status: "error";
      readonly executionCount: number;
      readonly journal: JournalEntry;
      /** It was deleted while it ran: nothing that waits behind it depends on that. */
      readonly deleted: boolean;
    } & ErrorContent);
