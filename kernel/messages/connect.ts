/** shell `connect_reply` (deprecated by Jupyter, still asked by some): the ports. */
export interface ConnectReply {
  readonly status: "ok";
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly hb_port: number;
  readonly control_port: number;
}
