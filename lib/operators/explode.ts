import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import { type ExplodeNode, explodedColumns } from "../plan/nodes/explode-node.ts";
import type { Compiled } from "./compile.ts";
import { columns } from "./exprs.ts";
import { lineageAfter } from "./lineage.ts";

/** @throws Refusal `UNKNOWN_COLUMN`, `NOT_A_LIST` */
export function compileExplode(
  node: ExplodeNode,
  input: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const names = explodedColumns(node);
  checkColumns(names, input.schema, "explode");
  const items = Object.fromEntries(names.map((name) => [name, itemOf(name, input)]));
  const lists = columns(names);
  return {
    // Polars throws for rows whose lists differ in length
    steps: [{ query: (rows) => rows.explode(lists) }],
    schema: { ...input.schema, ...items },
    lineage: lineageAfter(input.lineage, new Map(), (name) => !names.includes(name)),
    // how many rows there are depends on them, whether or not they are shown
    used: (wanted) => new Set([...wanted, ...names]),
  };
}

/** The dtype of the items of a list. */
function itemOf(column: string, { schema }: Compiled): string {
  const [, item] = /^List\((.*)\)$/s.exec(schema[column]!) ?? [];
  if (item !== undefined && !isMetadata(column)) return item;
  throw new Refusal({
    code: "NOT_A_LIST",
    what: `"${column}" is ${schema[column]}, not a list of values`,
    where: "explode",
    remedies: ['make it a list first: pl.col("text").str.split(",")', "leave explode out"],
  });
}
