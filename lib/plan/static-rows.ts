import { createHash } from "node:crypto";
import type pl from "nodejs-polars";
import { schemaOf } from "../schema.ts";

/** The rows of fixed tables in this process, by digest: plans are plain data and name them only. */
const held = new Map<string, pl.DataFrame>();

/** Keeps rows for plans that name them. @returns a digest of columns, dtypes and values: equal for equal rows in the same order */
export function keepRows(frame: pl.DataFrame): string {
  const digest = createHash("sha256")
    .update(JSON.stringify(schemaOf(frame)))
    // as text: equal rows may lie differently in memory; JSON alone does not tell NaN from null
    .update(frame.writeJSON({ format: "lines" }))
    .update(frame.nullCount().row(0).join())
    .digest("hex")
    .slice(0, 16);
  held.set(digest, frame);
  return digest;
}

/** The rows kept under a digest. */
export function rowsOf(digest: string): pl.DataFrame {
  const frame = held.get(digest);
  if (frame === undefined) throw new TypeError(`no table of digest ${digest} was loaded in this process`);
  return frame;
}
