import type { DisplayData } from "./display-data.ts";

/** iopub `execute_result`: the value of the cell's last expression. */
export interface ExecuteResult extends Omit<DisplayData, "transient"> {
  readonly execution_count: number;
}
