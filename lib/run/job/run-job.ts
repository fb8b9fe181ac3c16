import { Refusal } from "../../error.ts";
import type { SinkNode } from "../../plan/nodes/sink-node.ts";
import type { Schema } from "../../schema.ts";
import type { JobSettings } from "./settings.ts";

export async function runJob(
  sinks: readonly SinkNode[],
  _schemas: Readonly<Record<string, Schema>>,
  settings: JobSettings,
): Promise<void> {
  throw new Refusal({
    code: "NOT_BUILT",
    what: `The job runner is on its way (${settings.name}, ${sinks.length} sinks).`,
  });
}
