import { randomUUID } from "node:crypto";
import type pl from "nodejs-polars";
import type { ChartOptions } from "../../chart/index.ts";
import type { LiveFrame, LiveOptions, Position } from "../../frame/driver.ts";
import { isPassing } from "../../log/index.ts";
import { shownColumns } from "../../plan/named-metadata.ts";
import { type PlanNode, sourcesOf } from "../../plan/nodes/plan-node.ts";
import { emptyFrame } from "../../schema.ts";
import { type DisplayHandle, type MimeBundle, notebookHost } from "../host.ts";
import { MODES } from "../modes.ts";
import { describeSource } from "../source/source-schema.ts";
import { runningFrames } from "./front-end/running-frames.ts";
import { serveFrontEnds } from "./front-end/serve-front-ends.ts";
import type { NotebookStatus } from "./live-status.ts";
import { openWindowsTable } from "./open-windows.ts";
import { Pace } from "./pace.ts";
import { PartitionClocks } from "./partition-clocks.ts";
import { PlanReader, type ReadRows } from "./plan-reader.ts";
import { Rate } from "./rate.ts";
import { RecentRows } from "./recent-rows.ts";
import { recordReads } from "./record-reads.ts";
import type { Session } from "./session.ts";
import { awaited, madeAnew } from "./waiting-for-topics.ts";

export interface View {
  /** Draws a snapshot. The mime types are the same each time. @param id by which a front end asks for more, where one can */
  draw(frame: pl.DataFrame, status: NotebookStatus, id?: string): MimeBundle;
  /** Throws where frames like this one (without rows) cannot be drawn; reading then does not begin. */
  check?(empty: pl.DataFrame): void;
  /** Columns that it names. */
  readonly named?: readonly string[];
  /** Of a chart: what front ends draw by themselves. */
  readonly chart?: ChartOptions;
}

const DEFAULT_HZ = 4;
/** Where a front end draws by itself, the display is for the saved notebook, and for others who look. */
const WATCHED_HZ = 0.5;
/** A drawing is followed by so many times its own length without one. */
const DRAWING = 8;
/** How often topics that are not there yet are looked for, ms. */
const LOOKING = 1000;
/** How often rows that are paced are let out, ms. */
const PACE_INTERVAL = 50;
/** Brokers away for this long are said to be away; reading goes on by itself once they are back. */
const PATIENCE = 2000;
/** A headless run waits so much longer than its bound for a first row, ms. */
const FIRST_ROW = 10_000;

/**
 * A frame that keeps up with its topics while cells run. Reading never waits for showing: a display is a snapshot, drawn at most `hz` times a
 * second. Memory is bounded by `keep`. It ends with `stop()`, or with its cell: interrupted, run again or deleted. What is not there yet (a topic, its
 * first record, a broker) is waited for, except in a headless run.
 */
export class NotebookLiveFrame implements LiveFrame {
  /** By which front ends ask for it. */
  readonly id = randomUUID();
  readonly #session: Session;
  readonly #node: PlanNode;
  readonly #options: LiveOptions;
  readonly #view: View;
  readonly #handles: DisplayHandle[] = [];
  readonly #rate = new Rate();
  readonly #host = notebookHost();
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #reader: PlanReader | undefined;
  #rows: RecentRows;
  #state: NotebookStatus["state"] = "reading";
  #error: unknown;
  #awaySince: number | undefined;
  #lastFailure = 0;
  #steps: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #seek: { to: Position; resolve: () => void; reject: (error: unknown) => void } | undefined;
  #wake: () => void = () => {};
  #asks: (() => Promise<void>)[] = [];
  readonly #partitions = new PartitionClocks();
  /** What has become of the topics since reading began, in words. */
  #notes: readonly string[] = [];
  #firstRow = Promise.withResolvers<void>();
  #lastDraw = 0;
  #drawCost = 0;
  #drawTimer: NodeJS.Timeout | undefined;
  #pace: Pace | undefined;
  #version = 0;
  #columns: readonly { readonly name: string; readonly dtype: string }[] = [];
  readonly #watchers = new Set<() => void>();
  readonly cellId: string | undefined;

  /** @throws Refusal `BAD_DURATION` for `keep` */
  constructor(session: Session, node: PlanNode, options: LiveOptions, view: View) {
    this.#session = session;
    this.#node = node;
    this.#options = options;
    this.#view = view;
    this.#rows = new RecentRows(options.keep, emptyFrame({}), []);
    const signals = [options.signal, this.#host?.cell()?.signal].filter((signal) => signal !== undefined);
    for (const signal of signals) {
      if (signal.aborted) this.#stopping.abort();
      signal.addEventListener("abort", () => void this.stop(), { once: true });
    }
    this.cellId = this.#host?.cell()?.id;
    serveFrontEnds();
    runningFrames.add(this);
    this.#done = this.#run();
    this.#done.catch(() => {}); // said in the display and by `status`; a headless cell waits for it and fails
    if (this.#host?.headless) this.#host.hold(this.#bounded(this.#host.liveFor));
  }

  get df(): pl.DataFrame {
    const frame = this.#rows.frame();
    return frame.select(...this.#shown(frame.columns));
  }

  /** Counts what changes the rows. */
  get version(): number {
    return this.#version;
  }

  /** So many of the last rows, with columns that are not shown: cheaper than {@link df}. */
  latest(count: number): pl.DataFrame {
    return this.#rows.latest(count);
  }

  /** Names and dtypes of the columns of {@link df}. */
  get columns(): readonly { readonly name: string; readonly dtype: string }[] {
    return this.#columns;
  }

  /** The columns that the program shows, and those that the view names: `plot({ x: "_time" })`. */
  #shown(columns: readonly string[]): string[] {
    const shown = shownColumns(this.#node, columns);
    const named = this.#view.named?.filter((name) => columns.includes(name) && !shown.includes(name)) ?? [];
    return [...shown, ...named];
  }

  get status(): NotebookStatus {
    const counts = this.#reader?.counts;
    return {
      state: this.#state,
      rowsIn: counts?.records ?? 0,
      rowsOut: counts?.rowsOut ?? 0,
      dropped: this.#rows.dropped,
      kept: this.#rows.height,
      badRecords: counts?.bad ?? 0,
      bad: this.#reader?.bad ?? [],
      lag: counts?.lag ?? 0,
      rate: this.#state === "reading" ? this.#rate.perSecond() : 0,
      history: this.#rate.history(),
      watermark: counts?.watermark ?? Number.NaN,
      late: counts?.late ?? 0,
      unknownFields: counts?.unknownFields ?? 0,
      keyDifferences: counts?.keyDifferences ?? 0,
      stateRows: counts?.stateRows ?? 0,
      openWindows: counts?.openWindows ?? 0,
      ranges: this.#reader?.ranges ?? new Map(),
      drift: [...this.#notes, ...(this.#reader?.drift ?? [])],
      ...(this.#awaySince !== undefined && { awaySince: this.#awaySince }),
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  pause(): void {
    if (this.#state !== "reading") return;
    this.#state = "paused";
    this.#changed();
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "reading";
    this.#changed();
  }

  /** Goes on from another place, with fresh state and an empty view. Resolves when reading there has begun. */
  async seek(to: Position): Promise<void> {
    this.#throwEnded("seek");
    this.#seek?.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#seek = { to, resolve, reject };
    this.#wake();
    await promise;
  }

  /** Takes one more batch while paused. Resolves when it is in `df`. */
  async step(): Promise<void> {
    this.#throwEnded("step");
    this.pause();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#steps.push({ resolve, reject });
    this.#wake();
    await promise;
  }

  /**
   * Shows rows at `speed` times the speed at which they happened (0.1 to 100), from here on; without a speed as fast as they come.
   * @throws Refusal `BAD_SPEED`
   */
  replay(speed?: number): void {
    const held = this.#pace?.rest() ?? [];
    this.#add(held);
    this.#pace = speed === undefined ? undefined : new Pace(speed);
    this.#changed();
  }

  get speed(): number | undefined {
    return this.#pace?.speed;
  }

  /** Calls back whenever rows or status have changed, often; the function returned ends it. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => {
      this.#watchers.delete(changed);
      this.#changed(); // the display follows closely again
    };
  }

  async openWindows(): Promise<pl.DataFrame> {
    const reader = this.#reader;
    if (this.#state === "failed" || reader === undefined) this.#throwEnded("openWindows");
    const ask = async () => {
      const current = this.#reader ?? reader!;
      return openWindowsTable(this.#node, current, await current.openRows());
    };
    if (this.#state === "stopped") return ask();
    // between two batches: an operator works on one thing at a time
    const { promise, resolve, reject } = Promise.withResolvers<pl.DataFrame>();
    this.#asks.push(() => ask().then(resolve, reject));
    this.#wake();
    return promise;
  }

  get partitions(): pl.DataFrame {
    return this.#partitions.table(this.#reader?.positions ?? [], (topic, partition) =>
      this.#reader!.watermarkOfPartition(topic, partition),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#done.catch(() => {});
  }

  /** With a notebook kernel that offers it, a display that follows; elsewhere the snapshot as of now. */
  [Symbol.for("Jupyter.display")](): MimeBundle {
    if (this.#host === undefined) return this.#snapshot();
    this.#handles.push(this.#host.display(this.#snapshot()));
    return {};
  }

  async #run(): Promise<void> {
    try {
      await this.#begin(this.#start());
      while (!this.#stopping.signal.aborted) {
        for (const ask of this.#asks.splice(0)) await ask();
        if (this.#seek !== undefined) await this.#moved();
        else if (this.#state === "paused" && this.#steps.length === 0) await this.#sleep();
        else if (this.#pace?.waiting) await this.#release(this.#pace);
        else await this.#read();
      }
      this.#state = "stopped";
    } catch (error) {
      this.#state = "failed";
      this.#error = error;
      throw error;
    } finally {
      this.#ended();
      for (const ask of this.#asks.splice(0)) await ask();
      await this.#reader?.close();
    }
  }

  #start(): Position | "recent" {
    const { start } = MODES.notebook;
    return this.#options.from ?? (this.#host?.headless ? start.bounded : start.unbounded);
  }

  /** Opens, once what it reads is there. @param why it is not, where that is known */
  async #begin(from: Position | "recent", why?: unknown): Promise<void> {
    let missing = why;
    while (!this.#stopping.signal.aborted) {
      try {
        if (missing === undefined) {
          await this.#open(from);
          this.#error = undefined;
          if (this.#state === "waiting") this.#state = "reading";
          return this.#changed();
        }
      } catch (error) {
        missing = error;
      }
      if (this.#host?.headless || !awaited(missing)) throw missing;
      this.#state = "waiting";
      this.#error = missing;
      missing = undefined;
      this.#changed();
      await Promise.race([after(LOOKING, undefined), new Promise<void>((resolve) => (this.#wake = resolve))]);
    }
  }

  /** A topic is gone: once there is one of its name, that is read, from its start and with fresh state. The last rows stay in view until then. */
  async #beginAnew(gone: unknown): Promise<void> {
    if (this.#host?.headless || !awaited(gone)) throw gone;
    // inferred from the former topic
    for (const { id } of sourcesOf([this.#node])) this.#session.schemas.delete(id);
    await this.#begin("earliest", gone);
    this.#notes = [madeAnew(this.title)];
  }

  async #open(from: Position | "recent"): Promise<void> {
    const reader = await PlanReader.open(this.#session, this.#node, {
      from,
      bounded: false,
      shows: true,
      patience: PATIENCE,
    });
    const empty = emptyFrame(reader.terminal.schema);
    try {
      this.#view.check?.(empty.select(...this.#shown(empty.columns)));
    } catch (error) {
      await reader.close();
      throw error;
    }
    await this.#reader?.close();
    this.#reader = reader;
    this.#rows = new RecentRows(this.#options.keep, empty, reader.taskNames);
    this.#version++;
    const { schema } = reader.terminal;
    this.#columns = this.#shown(empty.columns).map((name) => ({ name, dtype: schema[name]! }));
    this.#changed();
  }

  #add(batch: readonly ReadRows[]): void {
    if (batch.length === 0) return;
    this.#rows.add(batch);
    this.#version++;
  }

  async #read(): Promise<void> {
    const before = this.#reader!.counts.records;
    try {
      const batch = await this.#reader!.next(250);
      if (this.#reader!.counts.records > before || performance.now() - this.#lastFailure > 2.5 * PATIENCE)
        this.#awaySince = undefined;
      if (this.#reader!.counts.records > before) await this.#wanted();
      if (this.#pace === undefined) this.#add(batch);
      else this.#pace.hold(batch);
      if (batch.length > 0) this.#firstRow.resolve();
    } catch (error) {
      if (!isPassing(error)) return this.#beginAnew(error);
      this.#lastFailure = performance.now();
      this.#awaySince ??= Date.now() - PATIENCE;
      this.#changed();
      return;
    }
    this.#partitions.note(this.#reader!.positions);
    const read = this.#reader!.counts.records - before;
    this.#rate.add(read);
    if (read > 0) {
      const steps = this.#steps.splice(0);
      for (const step of steps) step.resolve();
    }
    this.#changed();
  }

  /** Nothing more is read until what was read has had its time. */
  async #release(pace: Pace): Promise<void> {
    const rows = pace.due(performance.now());
    this.#add(rows);
    for (const step of this.#steps.splice(0)) step.resolve();
    if (rows.length > 0) this.#changed();
    if (pace.waiting) await new Promise((resolve) => setTimeout(resolve, PACE_INTERVAL));
  }

  async #moved(): Promise<void> {
    const { to, resolve, reject } = this.#seek!;
    this.#seek = undefined;
    this.#pace = this.#pace && new Pace(this.#pace.speed);
    try {
      await this.#open(to);
      resolve();
    } catch (error) {
      reject(error); // it was no place, or the brokers are away: reading goes on where it was
    }
  }

  /** What arrived while reading was being paused waits for a step, or for reading to go on. */
  async #wanted(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#state === "paused" && this.#steps.length === 0 && this.#seek === undefined && !signal.aborted) {
      for (const ask of this.#asks.splice(0)) await ask();
      await this.#sleep();
    }
  }

  async #sleep(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#stopping.signal.aborted || this.#state !== "paused" || this.#asks.length > 0) resolve();
    });
    this.#wake = () => {};
  }

  /** Ends a headless run's live frame: so long after the first row, or when none has come. Fails where reading failed. */
  async #bounded(liveFor: number): Promise<void> {
    const ended = this.#done.then(() => true);
    const first = this.#firstRow.promise.then(() => false);
    if ((await Promise.race([ended, first, after(liveFor + FIRST_ROW, false)])) === false) {
      if (this.#rows.height > 0 || (this.#reader?.counts.rowsOut ?? 0) > 0)
        await Promise.race([ended, after(liveFor, true)]);
      await this.stop();
    }
    await this.#done;
  }

  #throwEnded(what: string): void {
    if (this.#state === "failed") throw this.#error;
    if (this.#state === "stopped") throw new Error(`${what}(): this live frame was stopped; start another with live()`);
  }

  #ended(): void {
    const error = this.#error ?? new Error("the live frame was stopped");
    for (const step of this.#steps.splice(0)) step.reject(error);
    this.#seek?.reject(error);
    clearTimeout(this.#drawTimer);
    this.#drawTimer = undefined;
    this.#redraw();
  }

  /** Draws now, or when the next drawing is due; however often it is called, there is one drawing per interval. */
  #changed(): void {
    this.#wake();
    for (const changed of this.#watchers) changed();
    if (this.#drawTimer !== undefined || this.#handles.length === 0) return;
    const hz = this.#watchers.size > 0 ? WATCHED_HZ : (this.#options.hz ?? DEFAULT_HZ);
    const interval = Math.max(1000 / Math.max(0.1, hz), DRAWING * this.#drawCost);
    const wait = Math.max(0, this.#lastDraw + interval - performance.now());
    this.#drawTimer = setTimeout(() => {
      this.#drawTimer = undefined;
      this.#redraw();
    }, wait);
  }

  #redraw(): void {
    this.#lastDraw = performance.now();
    if (this.#stopping.signal.aborted) for (const changed of this.#watchers) changed();
    if (this.#reader !== undefined) recordReads(this.#reader);
    if (this.#handles.length === 0) return;
    const bundle = this.#snapshot();
    for (const handle of this.#handles) handle.update(bundle);
    this.#drawCost = performance.now() - this.#lastDraw;
  }

  #snapshot(): MimeBundle {
    return this.#view.draw(this.df, this.status, this.#host?.listen && this.id);
  }

  /** What a chart is to show; undefined for a table. */
  get chart(): ChartOptions | undefined {
    return this.#view.chart;
  }

  /** What the program asks of those who draw it: rows at a time, and drawings a second at most. */
  get displayOptions(): Pick<LiveOptions, "rows" | "hz"> {
    return this.#options;
  }

  /** The column that holds the record key, where rows still have it. */
  get key(): string | undefined {
    const key = sourcesOf([this.#node])[0]?.key;
    return key !== undefined && this.#rows.columns.includes(key) ? key : undefined;
  }

  get kind(): "table" | "chart" | "preview" {
    if (this.#view.chart !== undefined) return "chart";
    return this.#node.kind === "sink" ? "preview" : "table";
  }

  /** For messages and lists. */
  get title(): string {
    return sourcesOf([this.#node]).map(describeSource).join(", ");
  }
}

const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value).unref());
