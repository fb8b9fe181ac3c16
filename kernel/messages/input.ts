/** stdin `input_request`, to the client whose cell asks. */
export interface InputRequest {
  readonly prompt: string;
  /** True hides what is typed. */
  readonly password: boolean;
}

/** stdin `input_reply` */
export interface InputReply {
  readonly value?: string;
}
