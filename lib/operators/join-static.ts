import { isMetadata } from "../plan/metadata.ts";
import type { JoinStaticNode } from "../plan/nodes/join-static-node.ts";
import { rowsOf } from "../plan/static-rows.ts";
import type { Compiled } from "./compile.ts";
import { renamed } from "./exprs.ts";
import { checkJoinKeys } from "./join-checks.ts";
import { joinedColumns } from "./join-columns.ts";

/**
 * Lookup in a table that does not change: a query that Polars runs with the verbs around it; no state.
 * @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES`, `DUPLICATE_COLUMN`
 */
export function compileStatic(
  node: JoinStaticNode,
  left: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const { leftOn, rightOn, how, suffix } = node;
  checkJoinKeys(leftOn, rightOn, left.schema, node.schema, "join");
  const values = Object.keys(left.schema).filter((name) => !isMetadata(name));
  const given = how === "semi" || how === "anti" ? [] : Object.keys(node.schema);
  const joined = joinedColumns(values, given, { left: [], right: rightOn }, suffix, "join");
  const keys = rightOn.map((_, i) => `§key_${i}`);
  const columns = joined.right.map(({ from }) => from);
  // under their final names, whichever columns of the left side a batch has
  const names = joined.right.map(({ to }) => to);
  const rows = rowsOf(node.digest).select(...renamed(rightOn, keys), ...renamed(columns, names));
  const on = { leftOn: [...leftOn], rightOn: keys, how, maintainOrder: "left" } as const;
  return {
    steps: [{ query: (batch) => batch.join(rows.lazy(), on as never) }],
    schema: {
      ...left.schema,
      ...Object.fromEntries(joined.right.map(({ from, to }) => [to, node.schema[from]!])),
    },
    lineage: left.lineage,
    used: (wanted) => new Set([...[...wanted].filter((name) => Object.hasOwn(left.schema, name)), ...leftOn]),
  };
}
