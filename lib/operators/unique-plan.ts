import { checkColumns } from "../plan/analysis/unknown-column.ts";
import type { UniqueNode } from "../plan/nodes/unique-node.ts";
import { colTree } from "../plan/tree.ts";
import type { Compiled } from "./compile.ts";
import { unique } from "./exprs.ts";
import { checkCoPartitioned } from "./lineage.ts";
import { uniqueRows } from "./unique-rows.ts";

/** @throws Refusal `UNKNOWN_COLUMN`, `NEEDS_REPARTITION` */
export function uniquePlan(
  { subset, within, ttl }: UniqueNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> & { watermark: boolean } {
  checkColumns(subset, input.schema, "unique: subset");
  checkCoPartitioned(subset.map(colTree), input.lineage, `unique by ${subset.join(", ")}`);
  const storedKeys = unique(subset, ["seen"]);
  const plan = {
    subset,
    storedKeys,
    within,
    ...(ttl !== undefined && { ttl }),
    delay: input.delay,
    store: {
      name: storeName(`unique_by_${subset.join("_")}`),
      key: storedKeys,
      schema: {
        ...Object.fromEntries(storedKeys.map((name, i) => [name, input.schema[subset[i]!]!])),
        seen: "Int64",
      },
    },
  };
  return {
    steps: [{ operator: uniqueRows(plan) }],
    schema: input.schema,
    lineage: input.lineage,
    watermark: within !== undefined || ttl !== undefined,
    used: (columns) => new Set([...columns, ...subset, "_time", "_partition"]),
  };
}
