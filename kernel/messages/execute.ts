/** shell `execute_request` */
export interface ExecuteRequest {
  readonly code: string;
  /** No output, no history, no count, and `store_history` is taken as false. */
  readonly silent?: boolean;
  readonly store_history?: boolean;
  /** name -> expression, evaluated after the code. */
  readonly user_expressions?: Readonly<Record<string, string>>;
  /** False: nobody answers `input_request`. nbclient and papermill say so. */
  readonly allow_stdin?: boolean;
  /** An error aborts the execute requests that wait behind this one. True when absent. */
  readonly stop_on_error?: boolean;
}

/** JupyterLab adds these to the metadata of an `execute_request`. */
export interface ExecuteRequestMetadata {
  readonly cellId?: string;
  readonly deletedCells?: readonly string[];
}

/** The one payload that is not deprecated in practice: something for the client's pager. */
export interface Page {
  readonly source: "page";
  readonly data: Readonly<Record<string, unknown>>;
  readonly start: 0;
}

/** shell `execute_reply` */
export type ExecuteReply =
  | {
      readonly status: "ok";
      readonly execution_count: number;
      readonly user_expressions: Readonly<Record<string, unknown>>;
      readonly payload: readonly Page[];
    }
  | {
      readonly status: "error";
      readonly execution_count: number;
      readonly ename: string;
      readonly evalue: string;
      readonly traceback: readonly string[];
    }
  | {
      /** It waited behind a request that failed. Without a count: front ends would put the failed cell's number before it. */
      readonly status: "aborted";
      readonly ename: string;
      readonly evalue: string;
      readonly traceback: readonly string[];
    };
