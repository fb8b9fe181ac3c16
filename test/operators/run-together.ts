import assert from "node:assert/strict";
import polars from "nodejs-polars";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { compile, type Program } from "../../lib/operators/program.ts";
import type { Task } from "../../lib/operators/task.ts";
import { type PlanNode, sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { emptyFrame, type Schema, schemaOf } from "../../lib/schema.ts";
import type { KeyedStore } from "../../lib/state/store.ts";
import { asSource, memoryStores } from "./run-program.ts";

/** Rows of one topic, as its records: `t` is their time in ms, `device` their key. */
export interface Topic {
  readonly rows: polars.DataFrame;
  readonly key?: string;
  readonly time?: string;
}

const programs = new WeakMap<PlanNode, Program>();

function compiled(frame: StreamFrame, topics: Readonly<Record<string, Topic>>): Program {
  const known = programs.get(frame.node);
  if (known !== undefined) return known;
  const schemas = new Map<string, Schema>(
    sourcesOf([frame.node]).map((source) => {
      const { _delete, ...schema } = schemaOf(topics[source.topics[0]!]!.rows);
      return [source.id, schema];
    }),
  );
  const program = compile([frame.node], schemas);
  programs.set(frame.node, program);
  return program;
}

export interface Together {
  readonly rows: polars.DataFrame;
  readonly task: Task;
  readonly stores: ReadonlyMap<string, KeyedStore>;
  /** The rows' places in the order of reading, by topic. */
  readonly order: Readonly<Record<string, readonly number[]>>;
}

/**
 * Runs a frame over several topics as a reader gives them: merged by the largest event time so far of each, ties by the program's order of
 * sources, cut into batches anywhere. A batch may be empty.
 * @param splits rows per batch; the rest goes in a last one
 */
export async function runTogether(
  frame: StreamFrame,
  topics: Readonly<Record<string, Topic>>,
  {
    splits = [],
    reopen = false,
    final = false,
  }: { splits?: readonly number[]; reopen?: boolean; final?: boolean } = {},
): Promise<Together> {
  const program = compiled(frame, topics);
  const inputs = program.sources.map((source) => {
    const name = source.node.topics[0]!;
    const { rows, key = "device", time = "t" } = topics[name]!;
    return { id: source.id, name, rows: asSource(rows, { key, time }) };
  });
  const merged = inputs.flatMap(({ rows }, input) => {
    let clock = Number.NEGATIVE_INFINITY;
    const times = rows.select(polars.col("_time").cast(polars.Int64).cast(polars.Float64)).getColumn("_time").toArray();
    return times.map((time, row) => {
      clock = Math.max(clock, time as number);
      return { clock, input, row };
    });
  });
  merged.sort((a, b) => a.clock - b.clock || a.input - b.input || a.row - b.row);
  const order = Object.fromEntries(inputs.map(({ name }) => [name, [] as number[]]));
  for (const [place, { input, row }] of merged.entries()) order[inputs[input]!.name]![row] = place;

  const stores = memoryStores();
  let task = await program.open(stores);
  const at = inputs.map(() => 0);
  const parts: polars.DataFrame[] = [];
  let start = 0;
  for (const length of [...splits, merged.length]) {
    if (reopen) task = await program.open(stores);
    const piece = merged.slice(start, start + length);
    start += piece.length;
    const batches = new Map(
      inputs.map(({ id, rows }, input) => {
        const count = piece.filter((one) => one.input === input).length;
        const batch = rows.slice(at[input]!, count);
        at[input]! += count;
        return [id, batch];
      }),
    );
    const result = await task.process(batches);
    assert.deepEqual(result.bad, []);
    parts.push(...result.rows.map((output) => output.frame));
  }
  if (final) parts.push(...(await task.openRows()).rows.map((output) => output.frame));
  const schema = program.terminals[0]!.schema;
  for (const part of parts) {
    assert.deepEqual(part.columns, Object.keys(schema), "a batch has the columns the program promised, in order");
    assert.deepEqual(schemaOf(part), schema, "a batch has the dtypes the program promised");
  }
  return {
    rows: parts.length === 0 ? emptyFrame(schema) : polars.concat(parts),
    task,
    stores: stores.opened,
    order,
  };
}
