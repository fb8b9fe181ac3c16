/** shell `history_request` */
export type HistoryRequest = {
  /** Each entry's third part is `[input, output]`. */
  readonly output?: boolean;
  readonly raw?: boolean;
} & (
  | { readonly hist_access_type: "tail"; readonly n: number }
  | {
      readonly hist_access_type: "range";
      /** 0 is the running session, negative counts back from it, positive is a session's number. */
      readonly session?: number;
      readonly start?: number;
      /** Exclusive. */
      readonly stop?: number | null;
    }
  | {
      readonly hist_access_type: "search";
      /** A glob: `*` and `?`. */
      readonly pattern?: string;
      readonly n?: number | null;
      readonly unique?: boolean;
    }
);

/** [session, line, input], or [session, line, [input, output]] */
export type HistoryEntry = readonly [number, number, string | readonly [string, string | null]];

/** shell `history_reply` */
export interface HistoryReply {
  readonly status: "ok";
  readonly history: readonly HistoryEntry[];
}
