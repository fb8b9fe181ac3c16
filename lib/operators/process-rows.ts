import pl from "nodejs-polars";
import { emptyFrame, type Schema } from "../schema.ts";
import type { KeyedStore } from "../state/store.ts";
import { noteBad, reasonOf } from "./bad-row.ts";
import { RowsBuilder } from "./column-builder.ts";
import { columns, renamed } from "./exprs.ts";
import { gathered } from "./gathered.ts";
import type { BatchContext, Operator } from "./operator.ts";
import { type Effects, processContext } from "./process-context.ts";
import { type KeptEntry, NOTHING_KEPT, ProcessEntry } from "./process-entry.ts";
import { PROCESS_STATE, type ProcessPlan } from "./process-plan.ts";
import { type Cells, readCells } from "./row-cells.ts";
import { RowView } from "./row-view.ts";
import { TimerQueue } from "./timer-queue.ts";

const INNER_TYPES: Schema = { _watermark: "Int64", _sequence: "Int64", _order: "Int64" };
const INNER = Object.keys(INNER_TYPES);

/** The keys of a call, one slot each, and what is kept of them. */
interface Keys {
  readonly frame: pl.DataFrame;
  readonly entries: readonly ProcessEntry[];
  readonly slots: ArrayLike<number>;
  key(slot: number): Readonly<Record<string, unknown>>;
  text(slot: number): string;
}

/**
 * Code with a state object and timers per key.
 * State: one row per key: the state object and the timers as JSON, the time of the next timer, and when the key was last touched.
 * A batch: before each row the timers of earlier times, and those that the watermark before it has reached, in time order; then the row; after the last
 * row those of times that are past. So what happens, and in which order per key, does not depend on batches. Keys untouched for `ttl` are forgotten.
 */
export class ProcessRows implements Operator {
  readonly #plan: ProcessPlan;
  readonly #store: KeyedStore;
  readonly #view: RowView;
  readonly #builder: RowsBuilder;
  readonly #exprs: ReturnType<typeof exprsOf>;
  /** Of each emitted row: its key's slot, the row it goes along with (-1 for none), its time, and whether a timer gave it. */
  #made: { slot: number; row: number; time: number; byTimer: boolean }[] = [];

  constructor(plan: ProcessPlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#view = new RowView(plan.columns);
    this.#builder = new RowsBuilder(plan.node.schema);
    this.#exprs = exprsOf(plan);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const { delay, windowed, node } = this.#plan;
    this.#inner = INNER.filter((name) => batch.columns.includes(name));
    const reached = context.passed - delay;
    const earliest = context.commit ? await this.#store.min("next_timer") : undefined;
    const due =
      earliest !== undefined && earliest <= reached ? await this.#store.takeUpTo("next_timer", reached) : undefined;
    if (batch.height === 0 && due === undefined) {
      if (context.commit) await this.#forget(reached);
      return this.#output(batch, undefined);
    }
    const keys = await this.#keysOf(batch, due);
    const queue = new TimerQueue(keys.text);
    for (const [slot, { timers }] of keys.entries.entries())
      for (const [name, at] of timers) queue.push({ at, name, slot });
    const time = times(batch, "_time");
    const before = times(batch, "_watermark");
    const last = batch.height - 1;
    this.#view.take(batch);
    let clock = Number.NEGATIVE_INFINITY;
    for (let i = 0; i <= last; i++) {
      const watermark = before(i);
      // rows that windows released are not late by themselves: all before their time has been seen
      const own = time(i);
      // others may have said already that nothing earlier comes: the row's own time says no less
      const bound =
        watermark === null ? (windowed ? own : before1(own)) : Math.max(watermark, before1(own) ?? watermark);
      if (bound !== null) {
        this.#fire(queue, keys, bound, i, batch, context);
        clock = Math.max(clock, bound);
      }
      const at = own ?? Number.NaN;
      if (at > clock) clock = at;
      this.#row(keys, i, at, clock, queue, batch, context);
    }
    // an untimely look at what is open must not fire anything
    if (context.commit) {
      this.#fire(queue, keys, reached, last, batch, context);
      await this.#keep(keys);
      if (node.ttl !== undefined) await this.#forget(reached);
    }
    return this.#output(batch, keys);
  }

  async advance(now: number, context: BatchContext): Promise<pl.DataFrame> {
    const earliest = await this.#store.min("next_wall_timer");
    const none = emptyFrame({ ...INNER_TYPES });
    if (earliest === undefined || earliest > now) return this.#output(none, undefined);
    const due = await this.#store.takeUpTo("next_wall_timer", now);
    const keys = await this.#keysOf(undefined, due);
    const queue = new TimerQueue(keys.text);
    for (const [slot, entry] of keys.entries.entries()) {
      entry.changed = true;
      for (const [name, timer] of entry.wallTimers) {
        const at = "at" in timer ? timer.at : now + timer.after;
        entry.wallTimers.set(name, { at });
        queue.push({ at, name, slot });
      }
    }
    for (let timer = queue.due(now); timer !== undefined; timer = queue.due(now)) {
      const entry = keys.entries[timer.slot]!;
      const { name, slot } = timer;
      const clock = Math.max(context.watermark - this.#plan.delay, entry.touched ?? Number.NEGATIVE_INFINITY);
      const call = (effects: Effects): void => {
        entry.wallTimers.delete(name);
        const at = Number.isNaN(clock) ? now : clock;
        const key = keys.key(slot);
        const given = processContext(entry, key, at, at, this.#plan.node.initial, effects);
        this.#plan.node.onTimer?.({ name, time: new Date(timer!.at), wall: true }, given);
      };
      this.#attempt(keys, slot, -1, Number.isNaN(clock) ? now : clock, true, call, undefined, none, context);
    }
    await this.#keep(keys);
    return this.#output(none, keys);
  }

  /** The timers that are due at `bound`. */
  #fire(queue: TimerQueue, keys: Keys, bound: number, row: number, batch: pl.DataFrame, context: BatchContext): void {
    const { initial, onTimer, ttl } = this.#plan.node;
    for (let timer = queue.due(bound); timer !== undefined; timer = queue.due(bound)) {
      const { slot, name, at } = timer;
      const entry = keys.entries[slot]!;
      // replaced or taken back since
      if (entry.timers.get(name) !== at) continue;
      if (ttl !== undefined && entry.touched !== null && at - entry.touched >= ttl) {
        entry.clear();
        continue;
      }
      const call = (effects: Effects): void => {
        entry.timers.delete(name);
        onTimer?.(
          { name, time: new Date(at), wall: false },
          processContext(entry, keys.key(slot), at, at, initial, effects),
        );
      };
      this.#attempt(keys, slot, row, at, true, call, queue, batch, context);
    }
  }

  #row(
    keys: Keys,
    i: number,
    time: number,
    clock: number,
    queue: TimerQueue,
    batch: pl.DataFrame,
    context: BatchContext,
  ): void {
    const { initial, onRow, ttl } = this.#plan.node;
    const view = this.#view;
    const slot = keys.slots[i]!;
    const entry = keys.entries[slot]!;
    if (ttl !== undefined && entry.touched !== null && clock - entry.touched >= ttl) entry.clear();
    const call = (effects: Effects): void => {
      view.at = i;
      entry.key = this.#cell("_key")(i) as string | null;
      entry.partition = this.#cell("_partition")(i) as number;
      entry.touched = Number.isFinite(clock) ? clock : null;
      onRow(view.row, processContext(entry, keys.key(slot), time, clock, initial, effects));
    };
    this.#attempt(keys, slot, i, time, false, call, queue, batch, context);
  }

  /** Calls code; what it emitted and changed is undone when it throws. */
  #attempt(
    keys: Keys,
    slot: number,
    row: number,
    time: number,
    byTimer: boolean,
    call: (effects: Effects) => void,
    queue: TimerQueue | undefined,
    batch: pl.DataFrame,
    context: BatchContext,
  ): void {
    const builder = this.#builder;
    const entry = keys.entries[slot]!;
    const height = builder.height;
    const timer = (at: number, name: string): void => queue?.push({ at, name, slot });
    const effects: Effects = {
      timer,
      emit: (given) => {
        builder.push(given);
        this.#made.push({ slot, row, time, byTimer });
      },
    };
    try {
      entry.attempt(
        () => call(effects),
        () => call({ timer, emit: () => {} }),
      );
    } catch (error) {
      builder.truncate(height);
      this.#made.length = height;
      if (!byTimer) noteBad(context, batch, [row], reasonOf("process", error));
      else {
        // the timer is used up all the same
        entry.attempt(
          () => {
            for (const [name, at] of entry.timers) if (at === time) entry.timers.delete(name);
          },
          () => {},
        );
        context.bad(
          pl
            .DataFrame({ _partition: [entry.partition], _offset: [-1] })
            .select(pl.col("_partition").cast(pl.Int32), pl.col("_offset").cast(pl.Int64)),
          reasonOf("process: onTimer", error),
        );
      }
    }
  }

  #cells = new Map<string, Cells>();
  /** Which inner columns rows carry, as the last batch had them. */
  #inner: readonly string[] = [];

  #cell(name: string): Cells {
    return this.#cells.get(name)!;
  }

  /** The keys of the batch and of the rows that are due, and what is kept of each. */
  async #keysOf(batch: pl.DataFrame | undefined, due: pl.DataFrame | undefined): Promise<Keys> {
    const { storedKeys } = this.#plan;
    const exprs = this.#exprs;
    const dueKeys = due?.select(...exprs.storedKeys);
    const own = batch?.select(...exprs.keysToStored);
    const parts = [dueKeys, own].filter((part) => part !== undefined);
    const distinct = (parts.length === 1 ? parts[0]! : pl.concat(parts)).unique({ maintainOrder: true });
    const numbered = distinct.hstack([
      pl.Series(
        "§slot",
        Float64Array.from({ length: distinct.height }, (_, i) => i),
      ),
    ]) as unknown as pl.DataFrame;
    const joined = { on: [...storedKeys], how: "left" as const, nullsEqual: true };
    const slots =
      own === undefined
        ? new Float64Array()
        : ((own.join(numbered, joined) as pl.DataFrame).getColumn("§slot").toTypedArray() as Float64Array);
    const held = await this.#store.lookup(distinct);
    const known = due === undefined || due.height === 0 ? held : (held.vstack(due) as unknown as pl.DataFrame);
    const entries: ProcessEntry[] = Array.from({ length: distinct.height }, () => new ProcessEntry(NOTHING_KEPT));
    if (known.height > 0) {
      const at = (known.select(...exprs.storedKeys).join(numbered, joined) as pl.DataFrame)
        .getColumn("§slot")
        .toTypedArray() as Float64Array;
      for (const [i, kept] of keptOf(known).entries()) entries[at[i]!] = new ProcessEntry(kept);
    }
    // what was taken out of the store goes back, changed or not
    for (let i = 0; i < (dueKeys?.height ?? 0); i++) entries[i]!.changed = true;
    const cells = this.#plan.keys.map((name, i) => [name, readCells(distinct, storedKeys[i]!)] as const);
    const key = (slot: number) => Object.fromEntries(cells.map(([name, cell]) => [name, cell(slot)]));
    if (batch !== undefined)
      this.#cells = new Map(["_key", "_partition"].map((name) => [name, readCells(batch, name)]));
    return { frame: distinct, entries, slots, key, text: (slot) => JSON.stringify(Object.values(key(slot))) };
  }

  /** Puts what changed back into the store. */
  async #keep({ frame, entries }: Keys): Promise<void> {
    const changed = entries.flatMap((entry, slot) => (entry.changed ? [slot] : []));
    const gone = changed.filter((slot) => entries[slot]!.isEmpty);
    const kept = changed.filter((slot) => !entries[slot]!.isEmpty);
    if (gone.length > 0) await this.#store.remove(gathered(frame, gone));
    if (kept.length === 0) return;
    const where = `process by ${this.#plan.keys.join(", ")}`;
    const rows = new RowsBuilder(PROCESS_STATE);
    for (const slot of kept) {
      const entry = entries[slot]!;
      const { state, timers, wallTimers, touched, key, partition } = entry.kept(where);
      const wall = [...entry.wallTimers.values()].map((timer) => ("at" in timer ? timer.at : 0));
      rows.push({
        state,
        timers,
        wall_timers: wallTimers,
        next_timer: entry.timers.size === 0 ? null : Math.min(...entry.timers.values()),
        next_wall_timer: wall.length === 0 ? null : Math.min(...wall),
        touched,
        _key: key,
        _partition: partition,
      });
    }
    await this.#store.upsert(gathered(frame, kept).hstack(rows.finish()) as unknown as pl.DataFrame);
  }

  /** Drops what was not touched for `ttl`. */
  async #forget(reached: number): Promise<void> {
    const { ttl } = this.#plan.node;
    if (ttl !== undefined && !Number.isNaN(reached)) await this.#store.takeUpTo("touched", reached - ttl);
  }

  #output(batch: pl.DataFrame, keys: Keys | undefined): pl.DataFrame {
    const { schema } = this.#plan;
    const inner = this.#inner;
    const made = this.#made;
    this.#made = [];
    if (keys === undefined || made.length === 0) {
      this.#builder.truncate(0);
      return emptyFrame({ ...schema, ...Object.fromEntries(inner.map((name) => [name, INNER_TYPES[name]!])) });
    }
    const ofKeys = gathered(
      keys.frame.select(...this.#exprs.storedToKeys),
      made.map(({ slot }) => slot),
    );
    const meta = new RowsBuilder({ _key: "Utf8", _time: "Datetime(ms)", _partition: "Int32", "§timer": "Boolean" });
    for (const { slot, time, byTimer } of made) {
      const { key, partition } = keys.entries[slot]!;
      meta.push({ _key: key, _time: Number.isNaN(time) ? null : time, _partition: partition, "§timer": byTimer });
    }
    const parts = [ofKeys, this.#builder.finish(), meta.finish()].filter((part) => part.width > 0);
    if (inner.length > 0)
      parts.push(
        gathered(
          batch.select(...columns(inner)),
          made.map(({ row }) => row),
        ),
      );
    const rows = parts.reduce((left, right) => left.hstack(right) as unknown as pl.DataFrame);
    const ofRows = this.#exprs.ofRows.filter(([name]) => inner.includes(name)).map(([, expr]) => expr);
    return rows.withColumns(...ofRows).select(...Object.keys(schema), ...inner);
  }
}

/** Built once. */
function exprsOf({ keys, storedKeys }: ProcessPlan) {
  return {
    storedKeys: columns(storedKeys),
    keysToStored: renamed(keys, storedKeys),
    storedToKeys: renamed(storedKeys, keys),
    // rows of timers are never late, and come when their time does
    ofRows: ["_watermark", "_order"].map((name) => {
      const own = pl.when(pl.col("§timer").not()).then(pl.col(name)).otherwise(pl.lit(null));
      return [name, own.cast(pl.Int64).alias(name)] as const;
    }),
  };
}

function keptOf(rows: pl.DataFrame): KeptEntry[] {
  const names = ["state", "timers", "wall_timers", "touched", "_key", "_partition"];
  const [state, timers, wall, touched, key, partition] = names.map((name) => readCells(rows, name));
  return Array.from({ length: rows.height }, (_, i) => ({
    state: state!(i) as string | null,
    timers: timers!(i) as string,
    wallTimers: wall!(i) as string,
    touched: touched!(i) as number | null,
    key: key!(i) as string | null,
    partition: partition!(i) as number,
  }));
}

/** The cells of a column of times as ms; null where there is none. */
function times(batch: pl.DataFrame, name: string): (row: number) => number | null {
  if (!batch.columns.includes(name)) return () => null;
  const cells = readCells(batch.select(pl.col(name).cast(pl.Int64)), name);
  return (row) => cells(row) as number | null;
}

function before1(ms: number | null): number | null {
  return ms === null ? null : ms - 1;
}
