/** iopub `clear_output`. */
export interface ClearOutput {
  /** Clear when the next output arrives, to avoid flicker. */
  readonly wait: boolean;
}
