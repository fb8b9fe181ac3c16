import type pl from "nodejs-polars";
import { MillraceError } from "../error.ts";
import { planKey } from "../plan/content-key.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { SinkNode } from "../plan/nodes/sink-node.ts";
import type { TerminalNode } from "../plan/nodes/terminal-node.ts";
import type { ToParquetNode } from "../plan/nodes/to-parquet-node.ts";
import type { ToTableNode } from "../plan/nodes/to-table-node.ts";
import type { Schema } from "../schema.ts";

/**
 * A place in a topic: `"earliest"`, `"latest"`, an ISO 8601 time or a Date, a duration back from now (`"-10m"`), or exact offsets:
 * partition -> offset (one topic), or topic -> partition -> offset.
 */
export type Position =
  | "earliest"
  | "latest"
  | (string & {})
  | Date
  | Readonly<Record<string, number | Readonly<Record<string, number>>>>;

/** Where a bounded read stops: a number of rows, a duration of reading (`"30s"`), or a place. */
export type Until = number | Position | "end";

export interface CollectOptions {
  readonly from?: Position;
  readonly until?: Until;
  /** Adds the rows of windows that are still open. */
  readonly final?: boolean;
  readonly signal?: AbortSignal;
}

/** The range that a row is traced in; all of it where nothing is said. */
export type TraceOptions = Omit<CollectOptions, "final">;

export interface LiveOptions {
  readonly from?: Position;
  /** How much is kept in memory: a number of rows or a duration of event time (`"5m"`). */
  readonly keep?: number | string;
  /** Rows shown at a time: 20 in a saved output and 15 in the lab extension, which scrolls over all that are kept, unless said. */
  readonly rows?: number;
  /** Redraws per second at most; the lab extension draws a table 10 and a chart 5 times unless said, and never more than 10 times. */
  readonly hz?: number;
  readonly signal?: AbortSignal;
}

export interface PlotOptions extends LiveOptions {
  readonly x?: string;
  readonly y?: string | readonly string[];
  /** One trace per value of this column. */
  readonly by?: string;
  /** `"line"` by default. */
  readonly kind?: "line" | "scatter" | "bar" | "histogram" | "heatmap";
  /** What a heat map shows the mean of; without it, the number of rows. */
  readonly z?: string;
  /** Charts of one name are zoomed together. */
  readonly link?: string;
}

export interface BatchesOptions {
  readonly from?: Position;
  readonly until?: Until;
  readonly signal?: AbortSignal;
}

export interface RunOptions {
  readonly from?: Position;
  readonly until?: Until;
  /** Writes although this sink was run before in this session. */
  readonly again?: boolean;
  readonly signal?: AbortSignal;
}

/** Where `.toTable` and `.toParquet` write to. */
export type FileTarget =
  | {
      readonly kind: "table";
      readonly name: string;
      /** One row per value of these, the last; absent: rows are appended. */
      readonly key?: readonly string[];
    }
  | { readonly kind: "parquet"; readonly folder: string };

export interface RunReport {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly seconds: number;
}

export interface LiveStatus {
  /** `waiting`: what it reads is not there yet, as `error` says; it goes on by itself once it is. */
  readonly state: "reading" | "paused" | "waiting" | "stopped" | "failed";
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** Rows dropped from view to stay within `keep`. */
  readonly dropped: number;
  readonly badRecords: number;
  /** Records not read yet, over all partitions. */
  readonly lag: number;
  readonly error?: unknown;
}

/** A frame that keeps up with its topics. */
export interface LiveFrame {
  /** What is kept now. */
  readonly df: pl.DataFrame;
  readonly status: LiveStatus;
  pause(): void;
  resume(): void;
  seek(to: Position): Promise<void>;
  /** Takes one more batch while paused. */
  step(): Promise<void>;
  /** Shows rows at this multiple of the speed at which they happened (0.1 to 100); without one, as they come. */
  replay(speed?: number): void;
  /**
   * The windows that are open now, as the rows they would give, with `closes` (the event time at which they close) and `waits` (ms of event
   * time that their partition has to go until then).
   */
  openWindows(): Promise<pl.DataFrame>;
  /** Where each partition is: topic, partition, offset, end, lag, watermark, quiet_ms (since its last record, by the wall clock) and what its rows wait for. */
  readonly partitions: pl.DataFrame;
  stop(): Promise<void>;
}

/** What carries frames out: a notebook's reader, or a job. `lib/frame` itself does no I/O. */
export interface FrameDriver {
  collect(node: PlanNode, options: CollectOptions): Promise<pl.DataFrame>;
  live(node: PlanNode, options: LiveOptions): LiveFrame;
  /** A live chart; its value is shown like a LiveFrame's. */
  plot?(node: PlanNode, options: PlotOptions): LiveFrame;
  batches(node: PlanNode, options: BatchesOptions): AsyncIterable<pl.DataFrame>;
  /** The records that a row was made of. */
  trace?(node: PlanNode, row: Readonly<Record<string, unknown>>, options: TraceOptions): Promise<pl.DataFrame>;
  /** The schema of the rows of this node, metadata columns not included. */
  schema(node: PlanNode): Promise<Schema>;
  run(sink: SinkNode, options: RunOptions): Promise<RunReport>;
  /** Writes rows to a table or to files. */
  store?(node: PlanNode, target: FileTarget, options: RunOptions): Promise<RunReport>;
  /** A sink was declared. */
  declared?(sink: SinkNode): void;
  /** What a notebook shows for a frame or sink that is a cell's last expression: a mime bundle, or undefined when it displayed by itself. */
  display?(node: PlanNode): unknown;
}

let current: FrameDriver | undefined;

/** Puts in place what runs `collect`, `live`, `batches`, `run`, … */
export function setDriver(driver: FrameDriver): void {
  current = driver;
}

/** @throws MillraceError `NO_DRIVER` when nothing was put in place; importing `millrace` does that. */
export function driver(): FrameDriver {
  if (current !== undefined) return current;
  throw new MillraceError({
    code: "NO_DRIVER",
    what: "nothing is in place that could read a topic",
    remedies: ['import from "millrace" rather than from a file inside it'],
  });
}

const sinks = new Map<string, SinkNode>();

let once = false;

/**
 * Says that every statement of this process runs once, as in a job: sinks whose code has the same text but other functions (closures over other
 * values) are two sinks then, the later with a number behind its id. In a notebook they are the same one, its cell run again.
 */
export function statementsRunOnce(): void {
  once = true;
}

/** Notes a sink, and gives it as it is from now on; the same sink declared again (a cell run twice) counts once. */
export function declareSink(sink: SinkNode): SinkNode {
  let own = sink;
  if (once)
    for (let n = 2; sinks.has(own.id) && planKey(sinks.get(own.id)!.input) !== planKey(sink.input); n++)
      own = Object.freeze({ ...sink, id: `${sink.id}-${n}` });
  sinks.set(own.id, own);
  current?.declared?.(own);
  return own;
}

/** Every sink declared so far, in order. A job runs all of them. */
export function declaredSinks(): readonly SinkNode[] {
  return [...sinks.values()];
}

const outputs = new Map<string, ToTableNode | ToParquetNode>();

/** Notes a table, or a sink of files; the same declared again (a cell run twice) counts once. */
export function declareOutput(node: ToTableNode | ToParquetNode): void {
  outputs.set(planKey(node), node);
}

/** Everything that a job runs: the sinks declared so far, then tables and files, in order. */
export function declaredTerminals(): readonly TerminalNode[] {
  return [...sinks.values(), ...outputs.values()];
}
