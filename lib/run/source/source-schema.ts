import { Refusal } from "../../error.ts";
import type { SourceNode } from "../../plan/nodes/source-node.ts";
import type { Schema } from "../../schema.ts";
import { timeExpr } from "./event-time.ts";

/**
 * A source has two schemas. The *wire schema* says how its messages are written; it is inferred or given, and frozen by promotion, so
 * that a job never guesses. The *rows' schema* is what programs are compiled against. They differ in two columns:
 * - the event-time column arrives as `Datetime(ms)` whatever its form (on the wire `Datetime(ms)` for milliseconds or ISO 8601,
 *   `Datetime(s)` for seconds),
 * - the key column is there even if the value lacks it.
 *
 * @throws Refusal `UNKNOWN_TIME_COLUMN`, `NOT_A_TIME`
 */
export function rowsSchema(node: SourceNode, wire: Schema): Schema {
  const schema: Record<string, string> = {};
  if (node.key !== undefined && !(node.key in wire)) schema[node.key] = "Utf8";
  for (const [name, dtype] of Object.entries(wire)) schema[name] = dtype === "Datetime(s)" ? "Datetime(ms)" : dtype;
  if (node.time !== undefined) {
    const dtype = wire[node.time];
    if (dtype === undefined) {
      throw new Refusal({
        code: "UNKNOWN_TIME_COLUMN",
        what: `the event-time column "${node.time}" is not among the fields of the messages`,
        where: describeSource(node),
        remedies: [
          `name one of: ${Object.keys(wire).join(", ")}`,
          "leave `time` out: event time is then the record's timestamp",
        ],
      });
    }
    if (!/^(Int64|Float64|Utf8|Date|Datetime\((s|ms|us|ns)\))$/.test(dtype)) {
      throw new Refusal({
        code: "NOT_A_TIME",
        what: `the event-time column "${node.time}" is ${dtype}, which is no time`,
        where: describeSource(node),
        remedies: ["give it in the schema as Datetime(ms) (milliseconds or ISO 8601) or Datetime(s) (seconds)"],
      });
    }
    schema[node.time] = "Datetime(ms)";
  }
  timeExpr(node, schema);
  return schema;
}

/** The wire schema as the format decodes it: a bare number or text in the event-time column is milliseconds or ISO 8601. */
export function decodedSchema(node: SourceNode, wire: Schema): Schema {
  const schema: Record<string, string> = { ...wire };
  if (node.time !== undefined && /^(Int64|Float64|Utf8)$/.test(wire[node.time] ?? ""))
    schema[node.time] = "Datetime(ms)";
  // only compared with the record key, as text
  if (node.key !== undefined && node.key in wire) schema[node.key] = "Utf8";
  return schema;
}

/** For messages: `topic phone-data`, `topics a, b`, `topics like ^car-`. */
export function describeSource(node: SourceNode): string {
  if (node.pattern !== undefined) return `topics like ${node.pattern}`;
  return `topic${node.topics.length === 1 ? "" : "s"} ${node.topics.join(", ")}`;
}
