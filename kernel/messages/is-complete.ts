/** shell `is_complete_request`, asked by consoles. */
export interface IsCompleteRequest {
  readonly code: string;
}

/** shell `is_complete_reply`; `indent` only with `incomplete`. */
export interface IsCompleteReply {
  readonly status: "complete" | "incomplete" | "invalid" | "unknown";
  readonly indent?: string;
}
