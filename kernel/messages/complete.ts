/** shell `complete_request` */
export interface CompleteRequest {
  readonly code: string;
  /** In code points. */
  readonly cursor_pos: number;
}

/** shell `complete_reply` */
export interface CompleteReply {
  readonly status: "ok";
  readonly matches: readonly string[];
  /** The text between these, in code points, is replaced by a match. */
  readonly cursor_start: number;
  readonly cursor_end: number;
  readonly metadata: {
    /** Read by JupyterLab: the kind of each match. */
    readonly _jupyter_types_experimental: readonly {
      readonly text: string;
      readonly type: string;
      readonly start: number;
      readonly end: number;
    }[];
  };
}
