/** iopub `iopub_welcome` (JEP 65), sent to a new subscription: from here on the client misses nothing. */
export interface IopubWelcome {
  /** The topic prefix subscribed to. */
  readonly subscription: string;
}
