/** control `interrupt_reply`: the request was taken; the cell's own reply says how it ended. */
export interface InterruptReply {
  readonly status: "ok";
}
