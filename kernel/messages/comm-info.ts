/** shell `comm_info_request` */
export interface CommInfoRequest {
  /** Only comms of this target. */
  readonly target_name?: string | null;
}

/** shell `comm_info_reply` */
export interface CommInfoReply {
  readonly status: "ok";
  readonly comms: Readonly<Record<string, { readonly target_name: string }>>;
}
