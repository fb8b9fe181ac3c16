import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import type { UnnestNode } from "../plan/nodes/unnest-node.ts";
import { dtypeName, dtypeOf, type Schema } from "../schema.ts";
import type { Compiled } from "./compile.ts";
import { lineageAfter } from "./lineage.ts";

/** @throws Refusal `UNKNOWN_COLUMN`, `NOT_A_STRUCT`, `DUPLICATE_COLUMN` */
export function compileUnnest(
  { columns }: UnnestNode,
  input: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  checkColumns(columns, input.schema, "unnest");
  const unnested = new Map(columns.map((column) => [column, fields(column, input.schema)]));
  const entries = Object.entries(input.schema).flatMap(([name, dtype]) =>
    Object.entries(unnested.get(name) ?? { [name]: dtype }),
  );
  const names = entries.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Refusal({
      code: "DUPLICATE_COLUMN",
      what: `two columns would be named "${twice}"`,
      where: "unnest",
      remedies: [`rename or drop "${twice}" before: .rename({ "${twice}": "${twice}_2" })`],
    });
  const structOf = new Map(
    [...unnested].flatMap(([column, made]) => Object.keys(made).map((field) => [field, column])),
  );
  const built = new Map<string, pl.Expr[]>();
  return {
    steps: [
      {
        // field by field: Polars' own unnest cannot read the structs of a sliced frame
        query: (rows) => {
          const present = rows.columns;
          const signature = JSON.stringify(present);
          let exprs = built.get(signature);
          if (exprs === undefined) {
            exprs = present.flatMap((name) => {
              const made = unnested.get(name);
              if (made === undefined) return [pl.col(name)];
              return Object.keys(made).map((field) => pl.col(name).struct.field(field));
            });
            built.set(signature, exprs);
          }
          return rows.select(...exprs);
        },
      },
    ],
    schema: Object.fromEntries(entries),
    lineage: lineageAfter(input.lineage, new Map(), (name) => !unnested.has(name) && !structOf.has(name)),
    used: (wanted) => new Set([...[...wanted].map((name) => structOf.get(name) ?? name)]),
  };
}

function fields(column: string, schema: Schema): Schema {
  const dtype = dtypeOf(schema[column]!);
  if (dtype.variant !== "Struct")
    throw new Refusal({
      code: "NOT_A_STRUCT",
      what: `"${column}" is ${schema[column]}, not a struct of fields`,
      where: "unnest",
      remedies: ["leave unnest out", 'decode text first: pl.col("text").str.jsonDecode(pl.Struct({ … }))'],
    });
  const inner = (dtype as unknown as { inner: { name: string; dtype: pl.DataType }[] }).inner;
  return Object.fromEntries(inner.map((field) => [field.name, dtypeName(field.dtype)]));
}
