import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { ExplodeNode } from "../plan/nodes/explode-node.ts";
import type { Compiled } from "./compile.ts";
import { lineageAfter } from "./lineage.ts";

/** @throws Refusal `UNKNOWN_COLUMN`, `NOT_A_LIST` */
export function compileExplode(
  { column }: ExplodeNode,
  input: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  checkColumns([column], input.schema, "explode");
  const [, item] = /^List\((.*)\)$/s.exec(input.schema[column]!) ?? [];
  if (item === undefined || isMetadata(column))
    throw new Refusal({
      code: "NOT_A_LIST",
      what: `"${column}" is ${input.schema[column]}, not a list of values`,
      where: "explode",
      remedies: ['make it a list first: pl.col("text").str.split(",")', "leave explode out"],
    });
  const list = pl.col(column);
  return {
    steps: [{ query: (rows) => rows.explode(list) }],
    schema: { ...input.schema, [column]: item },
    lineage: lineageAfter(input.lineage, new Map(), (name) => name !== column),
    // how many rows there are depends on it, whether or not it is shown
    used: (columns) => new Set([...columns, column]),
  };
}
