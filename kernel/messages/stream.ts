/** iopub `stream` */
export interface Stream {
  readonly name: "stdout" | "stderr";
  readonly text: string;
}
