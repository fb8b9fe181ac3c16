/** iopub `status`: `busy` and `idle` frame the handling of every request; `starting` is sent once. */
export interface Status {
  readonly execution_state: "starting" | "busy" | "idle";
}
