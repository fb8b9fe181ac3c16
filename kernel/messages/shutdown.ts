/** control (or, deprecated, shell) `shutdown_request` and its reply. */
export interface ShutdownRequest {
  readonly restart?: boolean;
}

export interface ShutdownReply {
  readonly status: "ok";
  readonly restart: boolean;
}
