/** mime type -> data, as in Jupyter's display_data. */
export type MimeBundle = Record<string, unknown>;

export interface DisplayHandle {
  readonly id: string;
  update(bundle: MimeBundle): void;
}

/** The offsets of one topic that a notebook has read; promotion records them for the replay. */
export interface ReadRecord {
  readonly topic: string;
  /** The schema the reader used (names to dtype names); promotion freezes it. */
  readonly schema: Readonly<Record<string, string>>;
  /** partition -> [first offset, offset after the last] */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  /** Of a bounded read, all its topics together: what a job made of the notebook will need. */
  readonly cost?: { readonly records: number; readonly milliseconds: number; readonly stateRows: number };
}

/** A sink that a cell declared; promotion holds the job's against it. */
export interface SinkRecord {
  readonly topic: string;
  /** Of the plan, constants included: the same id is the same program. */
  readonly id: string;
  /** Of what it writes, as {@link ShownRecord} names it. */
  readonly plan?: string;
  /** Parameters that were given a value other than their default, as text. */
  readonly given: Readonly<Record<string, string>>;
}

/** What a bounded read showed; promotion holds what the job makes of the same records against it. */
export interface ShownRecord {
  /** Of the frame, functions included; means something within one session. */
  readonly plan: string;
  /** topic -> partition -> [first offset, offset after the last] */
  readonly ranges: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;
  readonly rows: number;
  /** Of the rows in any order; see `shownDigest`. */
  readonly sha256: string;
  readonly given: Readonly<Record<string, string>>;
}

/** A conversation with a front end (in Jupyter a comm). */
export interface Channel {
  send(data: unknown, buffers?: readonly Uint8Array[]): void;
  onMessage(callback: (data: unknown) => void): void;
  /** The front end has gone, or closed the channel. */
  onClose(callback: () => void): void;
}

/** The cell whose code is running (or caused the running callback). */
export interface CellContext {
  readonly id: string;
  /** Aborted when the cell is interrupted, re-run or deleted, and when the kernel stops. */
  readonly signal: AbortSignal;
}

/**
 * What a notebook kernel offers to the library. The Millrace kernel installs one at `globalThis[Symbol.for("millrace.host")]`;
 * elsewhere (plain Node, stock tslab, Deno) the library works without.
 */
export interface NotebookHost {
  cell(): CellContext | undefined;
  /** Nobody is watching: live cells are bounded, hold the cell busy and leave a final snapshot. */
  readonly headless: boolean;
  /** In a headless run: how long a live cell runs after its first row, in ms. */
  readonly liveFor: number;
  display(bundle: MimeBundle, options?: { id?: string; metadata?: Record<string, unknown> }): DisplayHandle;
  /** Keeps the current cell busy until the promise settles. */
  hold(promise: Promise<unknown>): void;
  /** Notes a read for the journal of the current cell. May be called again with a longer range. */
  recordRead(read: ReadRecord): void;
  /** Notes a sink for the journal of the current cell. */
  recordSink?(sink: SinkRecord): void;
  /** Notes what was shown for the journal of the current cell. */
  recordShown?(shown: ShownRecord): void;
  /** Answers every front end that opens a channel to `target`, in place of who answered before. Absent where front ends only show. */
  listen?(target: string, opened: (channel: Channel, data: unknown) => void): void;
}

export const HOST = Symbol.for("millrace.host");

export function notebookHost(): NotebookHost | undefined {
  return (globalThis as Record<symbol, unknown>)[HOST] as NotebookHost | undefined;
}
