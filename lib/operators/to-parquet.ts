import { Refusal } from "../error.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { ToParquetNode } from "../plan/nodes/to-parquet-node.ts";
import type { Compiled } from "./compile.ts";

/**
 * Rows for files: they go out as they are, and whoever runs the program writes them.
 * @throws Refusal `EMPTY_VALUE`, `FOLDER_TAKEN`
 */
export function compileToParquet(
  { folder }: ToParquetNode,
  input: Compiled,
  claim: () => boolean,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const where = `toParquet("${folder}")`;
  if (Object.keys(input.schema).every(isMetadata))
    throw new Refusal({ code: "EMPTY_VALUE", what: "no column is left to keep", where, remedies: ["keep a column"] });
  if (!claim())
    throw new Refusal({
      code: "FOLDER_TAKEN",
      what: "two sinks of the program write to this folder, and their files would have the same names",
      where,
      remedies: ["give each its own folder", "or concat their rows"],
    });
  return { steps: [], schema: input.schema, lineage: input.lineage, used: (wanted) => new Set(wanted) };
}
