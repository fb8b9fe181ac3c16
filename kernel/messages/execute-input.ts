/** iopub `execute_input`: tells every client what is run, and under which number. */
export interface ExecuteInput {
  readonly code: string;
  readonly execution_count: number;
}
