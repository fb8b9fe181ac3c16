/** `comm_open`, both ways: on shell from the client, on iopub from the kernel. */
export interface CommOpen {
  readonly comm_id: string;
  readonly target_name: string;
  readonly data: unknown;
}

/** `comm_msg` */
export interface CommMessage {
  readonly comm_id: string;
  readonly data: unknown;
}

/** `comm_close` */
export interface CommClose {
  readonly comm_id: string;
  readonly data: unknown;
}
