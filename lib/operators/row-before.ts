import type pl from "nodejs-polars";
import { frameOf } from "../polars/frame-of.ts";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { beside } from "./exprs.ts";
import { KeyNumbers } from "./key-numbers.ts";
import { partsOf, type StagePlan, stageStore } from "./keyed-stage.ts";
import { LastPerKey } from "./last-per-key.ts";
import { isNumberDType, type NumberColumn, numberSeries, numbersOfDType, readNumbers } from "./number-column.ts";
import type { BatchContext, Operator, OperatorPlan } from "./operator.ts";

/** So many keys are kept from one time that changes are taken to the next. */
const MOST_KEPT = 20_000;
/** With so many changes are not waited for to be taken. */
const MOST = 4 * MOST_KEPT;

type Column = StagePlan["columns"][number] & { readonly dtype: Parameters<typeof numberSeries>[1] };

/**
 * Look-back by one row per key where a query is not needed for it: numbers, and keys that can be numbered. `over` costs by key and not by row, and each query is a
 * wait for Polars' thread; here the value before each row is looked up by the number of its key, and Polars' own kernels do the rest.
 * State: as {@link LastPerKey} has it, in its store; beside it the last values of the keys that were met lately. What of those changed goes to the
 * store before its changes are taken.
 */
class RowBefore implements Operator {
  readonly #plan: StagePlan;
  readonly #store: KeyedStore;
  readonly #columns: readonly Column[];
  /** Does what cannot be done here. */
  readonly #general: LastPerKey;
  #latest: Latest;

  constructor(plan: StagePlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#columns = columnsOf(plan);
    this.#general = new LastPerKey(plan, store);
    this.#latest = this.#nothing();
    store.beforeTaken?.(() => this.#save());
  }

  async process(given: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    if (given.height === 0) return await this.#general.process(given, context);
    const { batch, work } = partsOf(this.#plan, given);
    const numbers = context.commit ? this.#latest.keys.of(work.select(...this.#plan.keys)) : undefined;
    if (numbers === undefined) {
      await this.#save();
      if (context.commit) this.#latest = this.#nothing();
      return await this.#general.process(given, context);
    }
    await this.#load();
    const results = new Map<string, pl.Series>();
    for (const [i, { name, dtype }] of this.#columns.entries()) {
      const column = work.getColumn(name);
      const before = numberSeries(name, dtype, this.#latest.replace(i, numbers, readNumbers(column)));
      for (const { column: result, tree } of this.#plan.stage.calls)
        if (this.#plan.arguments.get(result) === name)
          results.set(result, (tree.fn === "diff" ? column.minus(before) : before).rename(result) as pl.Series);
    }
    this.#latest.note(numbers);
    if (this.#store.beforeTaken === undefined || this.#latest.keys.size > MOST) await this.#save();
    return beside(batch, frameOf(this.#plan.stage.calls.map(({ column }) => results.get(column)!)));
  }

  /** Brings what is held of new keys. */
  async #load(): Promise<void> {
    const latest = this.#latest;
    const fresh = latest.grow();
    if (fresh.length === 0 || this.#store.size === 0) return;
    const { storedKeys } = this.#plan;
    const held = await this.#store.lookup(frameOf(latest.keys.columns(storedKeys, fresh)));
    if (held.height === 0) return;
    const numbers = latest.keys.of(held.select(...storedKeys))!;
    for (const [i, { stored }] of this.#columns.entries())
      latest.replace(i, numbers, readNumbers(held.getColumn(stored)));
  }

  /** Puts what has changed into the store. */
  async #save(): Promise<void> {
    const { keys } = this.#latest;
    const changed = this.#latest.takeChanged();
    if (changed.length > 0) {
      const columns = this.#columns.map(({ stored, dtype }, i) =>
        numberSeries(stored, dtype, this.#latest.of(i, changed)),
      );
      await this.#store.upsert(frameOf([...keys.columns(this.#plan.storedKeys, changed), ...columns]));
    }
    if (keys.size > MOST_KEPT) this.#latest = this.#nothing();
  }

  #nothing(): Latest {
    return new Latest(
      new KeyNumbers(this.#plan.storedKeys.map((key) => this.#plan.stateSchema[key]!)),
      this.#columns.map(({ dtype }) => dtype),
    );
  }
}

/** The last values of keys, by the keys' numbers. */
class Latest {
  readonly keys: KeyNumbers;
  readonly #columns: { values: NumberColumn["values"]; present: Uint8Array }[];
  readonly #dtypes: readonly Column["dtype"][];
  #known = 0;
  /** 1 for each key in `changed`. */
  #isChanged = new Uint8Array(0);
  #changed: number[] = [];

  constructor(keys: KeyNumbers, dtypes: readonly Column["dtype"][]) {
    this.keys = keys;
    this.#dtypes = dtypes;
    this.#columns = dtypes.map((dtype) => ({ values: numbersOfDType(dtype, 0), present: new Uint8Array(0) }));
  }

  /** Makes room for all keys that are numbered. @returns those that are new: their values are null */
  grow(): Uint32Array {
    const { size } = this.keys;
    if (size > this.#isChanged.length) {
      const room = Math.max(1024, 2 * size);
      this.#isChanged = longer(new Uint8Array(room), this.#isChanged);
      this.#columns.forEach((column, i) => {
        column.values = longer(numbersOfDType(this.#dtypes[i]!, room), column.values);
        column.present = longer(new Uint8Array(room), column.present);
      });
    }
    const fresh = Uint32Array.from({ length: size - this.#known }, (_, i) => this.#known + i);
    this.#known = size;
    return fresh;
  }

  /** Row by row: the value that the row's key had, which is that of the row from then on. */
  replace(column: number, numbers: Uint32Array, { values, present }: NumberColumn): NumberColumn {
    const last = this.#columns[column]!;
    const before = numbersOfDType(this.#dtypes[column]!, numbers.length);
    const wasPresent = new Uint8Array(numbers.length);
    let nulls = 0;
    for (let row = 0; row < numbers.length; row++) {
      const number = numbers[row]!;
      const was = last.present[number]!;
      before[row] = last.values[number]!;
      wasPresent[row] = was;
      nulls += 1 - was;
      last.values[number] = values[row]!;
      last.present[number] = present === undefined ? 1 : present[row]!;
    }
    return { values: before, present: nulls === 0 ? undefined : wasPresent };
  }

  /** The values of these keys. */
  of(column: number, numbers: Uint32Array): NumberColumn {
    const last = this.#columns[column]!;
    const values = numbersOfDType(this.#dtypes[column]!, numbers.length);
    for (let row = 0; row < numbers.length; row++) values[row] = last.values[numbers[row]!]!;
    return { values, present: Uint8Array.from(numbers, (number) => last.present[number]!) };
  }

  /** Takes note of keys whose values are others now. */
  note(numbers: Uint32Array): void {
    for (let row = 0; row < numbers.length; row++) {
      const number = numbers[row]!;
      if (this.#isChanged[number] === 1) continue;
      this.#isChanged[number] = 1;
      this.#changed.push(number);
    }
  }

  /** Keys whose values have changed since the last call. */
  takeChanged(): Uint32Array {
    const changed = Uint32Array.from(this.#changed);
    for (const number of changed) this.#isChanged[number] = 0;
    this.#changed = [];
    return changed;
  }
}

function longer<A extends NumberColumn["values"] | Uint8Array>(made: A, before: A): A {
  made.set(before as never);
  return made;
}

function columnsOf({ columns, stateSchema }: StagePlan): Column[] {
  return columns.map((column) => ({ ...column, dtype: stateSchema[column.stored] as Column["dtype"] }));
}

/** Whether a stage can be done without queries. */
function isPlain({ stage, storedKeys, stateSchema, columns, ttl }: StagePlan): boolean {
  return (
    ttl === undefined &&
    storedKeys.every((key) => KeyNumbers.takes(stateSchema[key]!)) &&
    columns.every(({ stored }) => isNumberDType(stateSchema[stored]!)) &&
    stage.calls.every(({ rows, tree }) => rows === 1 && (tree.fn === "shift" || tree.fn === "diff"))
  );
}

export function lastPerKey(plan: StagePlan, name: string): OperatorPlan {
  const spec = stageStore(plan, name);
  const make = isPlain(plan) ? RowBefore : LastPerKey;
  return { stores: [spec], open: (openStore: OpenStore) => new make(plan, openStore(spec)) };
}
