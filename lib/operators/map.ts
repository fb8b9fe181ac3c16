import type pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { MapNode } from "../plan/nodes/map-node.ts";
import type { Schema } from "../schema.ts";
import { noteBad, reasonOf } from "./bad-row.ts";
import { RowsBuilder } from "./column-builder.ts";
import type { Compiled } from "./compile.ts";
import { gathered } from "./gathered.ts";
import { lineageAfter } from "./lineage.ts";
import type { BatchContext, Operator } from "./operator.ts";
import { RowView } from "./row-view.ts";

/** Metadata that is not among a schema's columns but travels with rows. */
const INNER = ["_watermark", "_sequence", "_order"];

/**
 * A function over rows: it sees them through one view of the batch's columns, and what it gives fills columns again.
 * Kept columns and metadata never become JavaScript values. A row for which it throws, or gives what does not fit, is a bad one.
 */
export class MapRows implements Operator {
  readonly #node: MapNode;
  readonly #kept: ReadonlySet<string>;
  readonly #order: readonly string[];
  readonly #view: RowView;
  readonly #builder: RowsBuilder;
  #columns: { readonly present: string; readonly kept: readonly string[]; readonly all: readonly string[] } | undefined;

  constructor(node: MapNode, input: Schema, schema: Schema, kept: readonly string[]) {
    this.#node = node;
    this.#kept = new Set([...kept, ...INNER]);
    this.#order = Object.keys(schema);
    this.#view = new RowView(Object.keys(input));
    this.#builder = new RowsBuilder(node.schema);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    this.#view.take(batch);
    const places = this.#node.many ? this.#several(batch, context) : this.#one(batch, context);
    const made = this.#builder.finish();
    const { kept, all } = this.#columnsOf(batch);
    const own = batch.select(...kept);
    const rows = places === undefined ? own : gathered(own, places);
    return (made.width === 0 ? rows : (rows.hstack(made) as unknown as pl.DataFrame)).select(...all);
  }

  /** One row per row; the places of those that are left where some are bad. */
  #one(batch: pl.DataFrame, context: BatchContext): Int32Array | undefined {
    const bad = new Set<number>();
    const { height } = batch;
    this.#builder.pushEach(this.#node.fn, this.#view, height, (at, error) => {
      noteBad(context, batch, [at], reasonOf("map", error));
      bad.add(at);
    });
    if (bad.size === 0) return undefined;
    return Int32Array.from(Array.from({ length: height }, (_, i) => i).filter((i) => !bad.has(i)));
  }

  /** Any number of rows per row: the place of the row that each comes from; undefined where each row gave one. */
  #several(batch: pl.DataFrame, context: BatchContext): Int32Array | undefined {
    const { height } = batch;
    const places = this.#builder.pushAllOfEach(this.#node.fn, this.#view, height, (at, error) =>
      noteBad(context, batch, [at], reasonOf("flatMap", error)),
    );
    let single = places.length === height;
    for (let i = 0; single && i < height; i++) single = places[i] === i;
    return single ? undefined : places;
  }

  /** Built for the columns that are there, and kept. */
  #columnsOf(batch: pl.DataFrame) {
    const present = batch.columns;
    const signature = present.join();
    if (this.#columns?.present !== signature) {
      const kept = present.filter((name) => this.#kept.has(name));
      const order = [...this.#order, ...INNER].filter((name) => kept.includes(name) || name in this.#node.schema);
      this.#columns = { present: signature, kept, all: order };
    }
    return this.#columns;
  }
}

/** @throws Refusal `UNKNOWN_COLUMN`, `DUPLICATE_COLUMN`, `METADATA_COLUMN` */
export function compileMap(node: MapNode, input: Compiled): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const verb = node.many ? "flatMap" : "map";
  const metadata = Object.keys(input.schema).filter(isMetadata);
  const values = Object.keys(input.schema).filter((name) => !isMetadata(name));
  if (node.keep !== "all") checkColumns(node.keep, input.schema, `${verb}: keep`);
  const made = Object.keys(node.schema);
  // a column that the function gives replaces one of the input's with its name
  const kept = (node.keep === "all" ? values : node.keep.filter((name) => !isMetadata(name))).filter(
    (name) => !made.includes(name),
  );
  const wrong = made.find(isMetadata);
  if (wrong !== undefined)
    throw new Refusal({
      code: "METADATA_COLUMN",
      what: `"${wrong}" is metadata of the record and cannot be given by a function`,
      where: verb,
      remedies: [`give the column a name of its own: "${wrong.slice(1)}"`],
    });
  const keptSet = new Set(kept);
  const schema: Schema = {
    ...Object.fromEntries(kept.map((name) => [name, input.schema[name]!])),
    ...node.schema,
    ...Object.fromEntries(metadata.map((name) => [name, input.schema[name]!])),
  };
  return {
    steps: [
      {
        operator: {
          stores: [],
          open: () => new MapRows(node, input.schema, schema, [...kept, ...metadata]),
        },
      },
    ],
    schema,
    lineage: lineageAfter(input.lineage, new Map(), (name) => keptSet.has(name)),
    // which columns a function reads does not show
    used: (wanted) => new Set([...values, ...node.metadata, ...[...wanted].filter(isMetadata)]),
  };
}
