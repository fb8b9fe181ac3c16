import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { ProcessNode } from "../plan/nodes/process-node.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import type { Compiled } from "./compile.ts";
import { unique } from "./exprs.ts";
import { ProcessRows } from "./process-rows.ts";

/** `process` with everything known that does not depend on rows. */
export interface ProcessPlan {
  readonly node: ProcessNode;
  /** Columns of its input, as code sees them. */
  readonly columns: readonly string[];
  /** The columns whose values form the key. */
  readonly keys: readonly string[];
  /** Their names in the state. */
  readonly storedKeys: readonly string[];
  readonly schema: Schema;
  /** How far rows may lag behind the watermark, ms. */
  readonly delay: number;
  readonly windowed: boolean;
  readonly store: StoreSpec;
}

/** What the state has beside keys. */
export const PROCESS_STATE: Schema = {
  // JSON: state->>'$.count' in SQL
  state: "Utf8",
  // name -> ms since the epoch
  timers: "Utf8",
  // name -> { after } until the clock is known, then { at }
  wall_timers: "Utf8",
  next_timer: "Int64",
  next_wall_timer: "Int64",
  // the event time up to which a row of the key was seen
  touched: "Int64",
  _key: "Utf8",
  _partition: "Int32",
};

/** @throws Refusal `UNKNOWN_COLUMN`, `DUPLICATE_COLUMN` */
export function processPlan(
  node: ProcessNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used" | "windowed" | "watermark"> {
  const by = node.by.map(({ name }) => name);
  checkColumns(by, input.schema, "process: by");
  const clash = Object.keys(node.schema).find((name) => by.includes(name) || isMetadata(name));
  if (clash !== undefined)
    throw new Refusal({
      code: "DUPLICATE_COLUMN",
      what: `the rows of process have "${clash}" anyway`,
      where: "process: schema",
      remedies: ["leave it out of the schema and of what is emitted"],
    });
  const storedKeys = unique(by, Object.keys(PROCESS_STATE));
  const keySchema = Object.fromEntries(by.map((name) => [name, input.schema[name]!]));
  const plan: ProcessPlan = {
    node,
    columns: Object.keys(input.schema),
    keys: by,
    storedKeys,
    schema: { ...keySchema, ...node.schema, _key: "Utf8", _time: "Datetime(ms)", _partition: "Int32" },
    delay: input.delay,
    windowed: input.windowed,
    store: {
      name: storeName(`process_by_${by.join("_")}`),
      key: storedKeys,
      schema: {
        ...Object.fromEntries(storedKeys.map((name, i) => [name, input.schema[by[i]!]!])),
        ...PROCESS_STATE,
      },
    },
  };
  const values = plan.columns.filter((name) => !isMetadata(name));
  return {
    steps: [{ operator: { stores: [plan.store], open: (openStore) => new ProcessRows(plan, openStore(plan.store)) } }],
    schema: plan.schema,
    lineage: {
      ...input.lineage,
      key: new Set(["_key", ...by.filter((name) => input.lineage.key.has(name))]),
      time: new Set(["_time"]),
    },
    windowed: true,
    watermark: true,
    used: () => new Set([...values, ...node.metadata, "_key", "_time", "_partition"]),
  };
}
