import { sourceOf } from "../plan/function-source.ts";
import { checkGiven } from "../plan/givable.ts";
import { METADATA } from "../plan/metadata.ts";
import { type MapNode, mapNode } from "../plan/nodes/map-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { Schema } from "../schema.ts";
import { checkOptions } from "./options.ts";

export interface MapOptions<S extends Schema = Schema> {
  /** The columns that the function gives, and their dtypes: `{ total: "Float64" }`. */
  readonly schema: S;
  /** Columns of the input that go along as they are, without passing through the function; `true` for all. */
  readonly keep?: true | readonly string[];
}

/** @throws Refusal `NOT_A_FUNCTION`, `ASYNC_FUNCTION`, `NO_SCHEMA`, `BAD_SCHEMA`, `BAD_OPTION` */
export function mapNodeOf(input: PlanNode, many: boolean, fn: unknown, options: MapOptions | undefined): MapNode {
  const verb = many ? "flatMap" : "map";
  const source = sourceOf(fn, verb);
  const schema = checkGiven(
    options?.schema,
    verb,
    `.${verb}((row) => ${many ? "[{ … }]" : "({ … })"}, { schema: { total: "Float64" } })`,
  );
  const { keep = [], ...rest } = options!;
  checkOptions(verb, rest, ["schema", "keep"]);
  return mapNode({
    input,
    many,
    schema,
    keep: keep === true ? "all" : Object.freeze([...keep]),
    metadata: namedMetadata(source),
    source,
    fn: fn as MapNode["fn"],
  });
}

/** The metadata columns whose names are in this code. */
export function namedMetadata(...sources: readonly string[]): readonly string[] {
  const readable = METADATA.filter((name) => !["_watermark", "_delete", "_sequence", "_order"].includes(name));
  return Object.freeze(readable.filter((name) => sources.some((source) => source.includes(name))));
}
