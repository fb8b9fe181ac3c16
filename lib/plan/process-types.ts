/** What `onRow` and `onTimer` are given beside the row or timer. */
export interface ProcessContext<State = any, Row = Record<string, unknown>> {
  /** The key's state object: made by `state`, kept from row to row. Change it, or put another in its place. */
  state: State;
  /** The values of the key's columns. */
  readonly key: Readonly<Record<string, any>>;
  /** The event time of the row, or the time of the timer. */
  readonly time: Date;
  /** Gives a row. The key's columns are added to it. */
  emit(row: Row): void;
  /**
   * Calls `onTimer` once event time has come to `at`: before the first row of a later time, and at the latest when the watermark has reached it. A time that is
   * past counts as now. One timer per key and name: another one of the same name replaces it.
   */
  timer(at: Date | number, name?: string): void;
  /** Calls `onTimer` this long after now by the wall clock (`"30s"` or ms). A replay looks at records only, and does not call them. */
  wallTimer(after: string | number, name?: string): void;
  /** Takes a timer of either kind back. */
  clearTimer(name?: string): void;
  /** Forgets the key's state; the next row begins with a new one. */
  clear(): void;
}

/** What `onTimer` is given. */
export interface ProcessTimer {
  readonly name: string;
  readonly time: Date;
  /** Whether it was set by the wall clock. */
  readonly wall: boolean;
}
