import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { Schema } from "../schema.ts";
import { type Compiled, pick } from "./compile.ts";
import { columns, nullInt } from "./exprs.ts";
import { delayOf } from "./join-as-of-plan.ts";
import { clockOf } from "./join-order.ts";
import type { ConcatRows } from "./operator.ts";

const INNER = ["_watermark", "_sequence", "_order"];

/**
 * The rows of several frames as those of one, in the order of reading. Needs no state.
 * @throws Refusal `SCHEMAS_DIFFER`, `NO_EXACT_STREAMING_MEANING` (rows that are updates)
 */
export function compileConcat(
  inputs: readonly Compiled[],
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> & { watermark: true } {
  const [first, ...others] = inputs as [Compiled, ...Compiled[]];
  for (const [i, other] of others.entries()) checkSameColumns(first.schema, other.schema, i + 2);
  const updating = inputs.find((input) => input.updating);
  if (updating !== undefined)
    throw new Refusal({
      code: "NO_EXACT_STREAMING_MEANING",
      what: "concat of rows that are updates has no exact meaning on a stream: the same key could be updated by both",
      where: "concat",
      remedies: ['let windows give their row once: emit: "close"', "concat before the rows are grouped"],
    });
  const names = Object.keys(first.schema).filter((name) => inputs.every(({ schema }) => Object.hasOwn(schema, name)));
  const shared = (held: (compiled: Compiled) => ReadonlySet<string>): Set<string> =>
    new Set([...held(first)].filter((name) => others.every((other) => held(other).has(name))));
  const alike = inputs.every(({ lineage }) => lineage.others === undefined);
  return {
    steps: [{ concat: concatRows(inputs, names) }],
    schema: pick(first.schema, names),
    lineage: {
      ...first.lineage,
      key: alike ? shared(({ lineage }) => lineage.key) : new Set(),
      single: inputs.every(({ lineage }) => lineage.single === true),
      time: shared(({ lineage }) => lineage.time),
    },
    watermark: true,
    used: (wanted) => new Set([...wanted].filter((name) => names.includes(name))),
  };
}

function concatRows(inputs: readonly Compiled[], names: readonly string[]): ConcatRows {
  const clocks = inputs.map((input) => clockOf(delayOf(input)).alias("§clock"));
  const row = pl.intRange(pl.len()).alias("§row");
  const places = inputs.map((_, i) => pl.lit(i).cast(pl.Int32).alias("§input"));
  const built = new Map<string, pl.Expr[]>();
  const missing = new Map(INNER.map((name) => [name, nullInt(name)]));
  return (frames) => {
    // what no input has stays away: whoever needs it makes it
    const inner = INNER.filter((name) => frames.some((frame) => frame.columns.includes(name)));
    const parts = frames.map((frame, i) => {
      const absent = INNER.filter((name) => !frame.columns.includes(name)).map((name) => missing.get(name)!);
      return frame.withColumns(...absent).withColumns(clocks[i]!, places[i]!, row);
    });
    // rows of windows have no place in the reading
    const order = columns(["§clock", ...(inner.includes("_sequence") ? ["_sequence"] : []), "§input", "§row"]);
    const present = [...names, ...inner].filter((name) => parts.every((part) => part.columns.includes(name)));
    const signature = present.join();
    let exprs = built.get(signature);
    if (exprs === undefined) {
      exprs = columns(present);
      built.set(signature, exprs);
    }
    const wanted = [...exprs, ...columns(["§clock", "§input", "§row"])];
    return pl
      .concat(parts.map((part) => part.select(...wanted)))
      .sort(order)
      .select(...exprs);
  };
}

/** @throws Refusal `SCHEMAS_DIFFER` naming the columns */
function checkSameColumns(first: Schema, other: Schema, number: number): void {
  const values = (schema: Schema): string[] => Object.keys(schema).filter((name) => !isMetadata(name));
  const missing = values(first).filter((name) => !Object.hasOwn(other, name));
  const more = values(other).filter((name) => !Object.hasOwn(first, name));
  const different = values(first).filter((name) => Object.hasOwn(other, name) && other[name] !== first[name]);
  if (missing.length + more.length + different.length === 0) return;
  const differences = [
    ...missing.map((name) => `"${name}" is only in the first`),
    ...more.map((name) => `"${name}" is not in the first`),
    ...different.map((name) => `"${name}" is ${first[name]} in the first and ${other[name]} here`),
  ];
  throw new Refusal({
    code: "SCHEMAS_DIFFER",
    what: `frame ${number} of the concat has other columns: ${differences.join("; ")}`,
    where: "concat",
    remedies: [
      "make them the same: .select(…) on each, .rename(…), .cast(…), pl.lit(null).cast(…).alias(…) for a missing one",
    ],
  });
}
