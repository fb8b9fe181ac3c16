/** iopub `error`: a cell failed. `traceback` is shown as it is, ANSI colours and all. */
export interface ErrorMessage {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}
