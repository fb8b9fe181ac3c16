import assert from "node:assert/strict";
import polars from "nodejs-polars";
import type { Sink } from "../../lib/frame/sink.ts";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { compile, type Program } from "../../lib/operators/program.ts";
import type { Task } from "../../lib/operators/task.ts";
import { type PlanNode, sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { emptyFrame, type Schema, schemaOf } from "../../lib/schema.ts";
import { MemoryStore } from "../../lib/state/memory-store.ts";
import type { KeyedStore, OpenStore } from "../../lib/state/store.ts";

/** Stores in memory, found again by name: a task opened twice goes on from them. */
export function memoryStores(): OpenStore & { readonly opened: ReadonlyMap<string, KeyedStore> } {
  const opened = new Map<string, KeyedStore>();
  const open: OpenStore = (spec) => {
    let store = opened.get(spec.name);
    if (store === undefined) {
      store = new MemoryStore(spec);
      opened.set(spec.name, store);
    }
    return store;
  };
  return Object.assign(open, { opened });
}

/** Rows as the source reader hands them over: `_key` from `key`, `_time` from `time`, offsets from 0. */
export function asSource(rows: polars.DataFrame, { key = "device", time = "t", packed = 1 } = {}): polars.DataFrame {
  return rows.withColumns(
    polars.col(key).cast(polars.Utf8).alias("_key"),
    polars.col(time).cast(polars.Datetime("ms")).alias("_time"),
    polars.lit(0).cast(polars.Int32).alias("_partition"),
    (packed === 1
      ? polars.lit(1).cast(polars.Int64).cumSum()
      : polars.intRange(0, rows.height).divideBy(polars.lit(packed)).floor().cast(polars.Int64)
    ).alias("_offset"),
  );
}

const programs = new WeakMap<PlanNode, Program>();

/** Compiles a frame, once. */
export function compileFrame(frame: StreamFrame | Sink, schema: Schema): Program {
  const known = programs.get(frame.node);
  if (known !== undefined) return known;
  const [source] = sourcesOf([frame.node]);
  const program = compile([frame.node], new Map([[source!.id, schema]]));
  programs.set(frame.node, program);
  return program;
}

export interface RunOptions {
  /** Rows per batch; the rest goes in a last batch. */
  readonly splits?: readonly number[];
  readonly final?: boolean;
  readonly key?: string;
  readonly time?: string;
  /** Rows a record. */
  readonly packed?: number;
  /** Opens the task anew before every batch, as after a restart. */
  readonly reopen?: boolean;
}

/** Runs a frame over rows in batches and gives the rows of its one terminal, metadata included; empty batches are run too. */
export async function run(
  frame: StreamFrame | Sink,
  rows: polars.DataFrame,
  { splits = [], final = false, reopen = false, ...columns }: RunOptions = {},
): Promise<{ rows: polars.DataFrame; task: Task; stores: ReadonlyMap<string, KeyedStore> }> {
  const program = compileFrame(frame, schemaOf(rows));
  const stores = memoryStores();
  let task = await program.open(stores);
  const source = program.sources[0]!;
  const input = asSource(rows, columns);
  const parts: polars.DataFrame[] = [];
  let start = 0;
  for (const length of [...splits, rows.height]) {
    if (reopen) task = await program.open(stores);
    const batch = input.slice(start, Math.min(length, rows.height - start));
    parts.push(...(await task.process(new Map([[source.id, batch]]))).rows.map((output) => output.frame));
    start += batch.height;
  }
  if (final) parts.push(...(await task.openRows()).rows.map((output) => output.frame));
  const schema = program.terminals[0]!.schema;
  for (const part of parts) assert.deepEqual(schemaOf(part), schema, "a batch has the schema the program promised");
  return { rows: parts.length === 0 ? emptyFrame(schema) : polars.concat(parts), task, stores: stores.opened };
}

/** The frame without metadata columns. */
export function values(frame: polars.DataFrame): polars.DataFrame {
  return frame.select(...frame.columns.filter((name) => !name.startsWith("_")));
}

/** Equal columns, dtypes and rows; floats to 1e-9 relative (1e-5 for Float32). */
export function assertFramesEqual(actual: polars.DataFrame, expected: polars.DataFrame, what = ""): void {
  const dtypes = schemaOf(actual);
  // of no rows at all Polars makes some aggregates (gather) Null columns: it has nothing to tell their dtype from
  const untold = Object.entries(schemaOf(expected)).map(([name, dtype]) =>
    expected.height === 0 && dtype === "Null" ? [name, dtypes[name]] : [name, dtype],
  );
  assert.deepEqual(dtypes, Object.fromEntries(untold), `${what}: columns and dtypes`);
  assert.equal(actual.height, expected.height, `${what}: number of rows`);
  const schema = schemaOf(expected);
  for (const name of expected.columns) {
    const tolerance = schema[name]!.includes("Float32") ? 1e-5 : 1e-9;
    const [got, wanted] = [cells(actual, name), cells(expected, name)];
    for (let i = 0; i < wanted.length; i++)
      assert.ok(
        close(got[i], wanted[i], tolerance),
        `${what}: row ${i} of ${name} is ${show(got[i])}, expected ${show(wanted[i])}`,
      );
  }
}

/** Nested values go through JSON, which reads the struct cells that Polars' own conversion cannot. */
function cells(frame: polars.DataFrame, name: string): unknown[] {
  const dtype = schemaOf(frame)[name]!;
  if (!dtype.includes("Struct")) return frame.getColumn(name).toArray();
  const json = frame.select(polars.col(name).alias("value")).writeJSON({ format: "lines" }).toString();
  return json
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line).value);
}

function close(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === "number" && typeof b === "number")
    return Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return (a ?? null) === (b ?? null);
  const [x, y] = [toPlain(a), toPlain(b)];
  const names = Object.keys(x);
  return names.length === Object.keys(y).length && names.every((name) => close(x[name], y[name], tolerance));
}

function toPlain(value: object): Record<string, unknown> {
  return polars.Series.isSeries(value) ? { ...(value as polars.Series).toArray() } : (value as Record<string, unknown>);
}

function show(value: unknown): string {
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
}
