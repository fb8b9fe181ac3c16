/** control `debug_request`: a request of the Debug Adapter Protocol as it is. */
export interface DebugRequest {
  readonly seq: number;
  readonly type: "request";
  readonly command: string;
  readonly arguments?: Readonly<Record<string, any>>;
}

/** control `debug_reply`: the adapter's response. */
export interface DebugReply {
  readonly seq: number;
  readonly type: "response";
  readonly request_seq: number;
  readonly command: string;
  readonly success: boolean;
  /** Why not. */
  readonly message?: string;
  readonly body: unknown;
}

/** iopub `debug_event`: an event of the adapter. */
export interface DebugEvent {
  readonly seq: number;
  readonly type: "event";
  readonly event: "initialized" | "stopped" | "continued" | "terminated";
  readonly body: unknown;
}
