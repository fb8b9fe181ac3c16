import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { PredictNode } from "../plan/nodes/predict-node.ts";
import type { Schema } from "../schema.ts";
import { noteBad, reasonOf } from "./bad-row.ts";
import { RowsBuilder } from "./column-builder.ts";
import type { Compiled } from "./compile.ts";
import { columns } from "./exprs.ts";
import { gathered } from "./gathered.ts";
import { lineageAfter } from "./lineage.ts";
import { onnxModel } from "./onnx-model.ts";
import type { BatchContext, Operator } from "./operator.ts";
import { readCells } from "./row-cells.ts";

/** Values of the model's columns for as many rows as it was given. */
export type Predict = (
  features: Readonly<Record<string, ArrayLike<unknown>>>,
  count: number,
) => Promise<Readonly<Record<string, ArrayLike<unknown>>>>;

/**
 * A model over the columns of a batch. Where it fails, the batch is halved until the rows are found for which it does: these are bad ones.
 */
export class PredictRows implements Operator {
  readonly #node: PredictNode;
  readonly #order: readonly string[];
  readonly #builder: RowsBuilder;
  readonly #kept: ReadonlySet<string>;
  readonly #features: readonly pl.Expr[];
  #predict: Predict | undefined;

  constructor(node: PredictNode, schema: Schema) {
    this.#node = node;
    this.#order = Object.keys(schema);
    this.#builder = new RowsBuilder(node.schema);
    this.#kept = new Set(Object.keys(node.schema));
    this.#features = columns(node.features);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const good: number[] = [];
    if (batch.height > 0) {
      this.#predict ??= await modelOf(this.#node);
      await this.#run(batch.select(...this.#features), 0, batch, good, context);
    }
    const made = this.#builder.finish();
    const kept = batch.columns.filter((name) => !this.#kept.has(name));
    const beside = batch.select(...kept);
    const rows = good.length === batch.height ? beside : gathered(beside, good);
    const present = new Set(kept);
    const order = this.#order.filter((name) => present.has(name) || this.#kept.has(name));
    const others = kept.filter((name) => !this.#order.includes(name));
    return (rows.hstack(made) as unknown as pl.DataFrame).select(...order, ...others);
  }

  async #run(
    features: pl.DataFrame,
    start: number,
    batch: pl.DataFrame,
    good: number[],
    context: BatchContext,
  ): Promise<void> {
    const count = features.height;
    const builder = this.#builder;
    const before = builder.height;
    try {
      const values = await this.#predict!(featureColumns(features, count), count);
      const names = Object.keys(this.#node.schema);
      for (const name of names)
        if (values[name]?.length !== count)
          throw new TypeError(`the model gave ${values[name]?.length ?? "no"} values of "${name}" for ${count} rows`);
      const row: Record<string, unknown> = {};
      for (let i = 0; i < count; i++) {
        for (const name of names) row[name] = values[name]![i];
        builder.push(row);
      }
      for (let i = 0; i < count; i++) good.push(start + i);
    } catch (error) {
      builder.truncate(before);
      if (count === 1) return noteBad(context, batch, [start], reasonOf("predict", error));
      const half = count >> 1;
      await this.#run(features.slice(0, half), start, batch, good, context);
      await this.#run(features.slice(half, count - half), start + half, batch, good, context);
    }
  }
}

async function modelOf(node: PredictNode): Promise<Predict> {
  const names = Object.keys(node.schema);
  if (node.path !== undefined) return await onnxModel(node.path, node.features, node.schema);
  return async (features) => {
    const given = (await node.fn!(features)) as ArrayLike<unknown> | Record<string, ArrayLike<unknown>>;
    if (given === null || typeof given !== "object") throw new TypeError(`the model gave ${given}, not columns`);
    if (!("length" in given) || names.every((name) => name in given))
      return given as Record<string, ArrayLike<unknown>>;
    if (names.length > 1) throw new TypeError(`the model gave one list, not one each for ${names.join(", ")}`);
    return { [names[0]!]: given as ArrayLike<unknown> };
  };
}

const NUMBER = /^(U?Int|Float|Duration)/;

function featureColumns(frame: pl.DataFrame, count: number): Record<string, ArrayLike<unknown>> {
  return Object.fromEntries(
    frame.columns.map((name, i) => {
      if (NUMBER.test(frame.dtypes[i]!.variant)) {
        const numbers = frame.getColumn(name).cast(pl.Float64);
        const filled =
          numbers.nullCount() === 0
            ? numbers
            : frame.select(pl.col(name).cast(pl.Float64).fillNull(NAN)).getColumn(name);
        return [name, filled.toTypedArray() as Float64Array];
      }
      const cells = readCells(frame, name);
      return [name, Array.from({ length: count }, (_, row) => cells(row))];
    }),
  );
}

const NAN = pl.lit(Number.NaN);

/** @throws Refusal `UNKNOWN_COLUMN`, `METADATA_COLUMN` */
export function compilePredict(
  node: PredictNode,
  input: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  checkColumns(node.features, input.schema, "predict: features");
  const made = Object.keys(node.schema);
  const wrong = made.find(isMetadata);
  if (wrong !== undefined)
    throw new Refusal({
      code: "METADATA_COLUMN",
      what: `"${wrong}" is metadata of the record and cannot be predicted`,
      where: "predict: as",
    });
  const schema: Schema = { ...input.schema, ...node.schema };
  return {
    steps: [{ operator: { stores: [], open: () => new PredictRows(node, schema) } }],
    schema,
    lineage: lineageAfter(input.lineage, new Map(), (name) => !made.includes(name)),
    used: (wanted) => new Set([...node.features, ...[...wanted].filter((name) => !made.includes(name))]),
  };
}
