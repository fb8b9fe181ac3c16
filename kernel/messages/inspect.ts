/** shell `inspect_request` */
export interface InspectRequest {
  readonly code: string;
  /** In code points. */
  readonly cursor_pos: number;
  /** 1 asks for more, as `??` does in IPython. */
  readonly detail_level?: 0 | 1;
}

/** shell `inspect_reply` */
export interface InspectReply {
  readonly status: "ok";
  readonly found: boolean;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}
