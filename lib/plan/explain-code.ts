import type { Schema } from "../schema.ts";
import { printDuration } from "./duration.ts";
import { unrepeatable } from "./function-source.ts";
import type { MapNode } from "./nodes/map-node.ts";
import type { PredictNode } from "./nodes/predict-node.ts";
import type { ProcessNode } from "./nodes/process-node.ts";

/** Whether code sets timers of the wall clock. */
export const setsWallTimers = ({ source }: ProcessNode): boolean =>
  Object.values(source).some((text) => text.includes(".wallTimer("));

/** The lines of verbs that run code: what it gives, what it keeps, and the code itself. */
export function explainCode(node: MapNode | ProcessNode | PredictNode): string[] {
  switch (node.kind) {
    case "map":
      return [
        `${node.many ? "flatMap" : "map"} to ${columnsText(node.schema)}`,
        node.keep === "all"
          ? "keeps: every column of its input"
          : node.keep.length === 0
            ? "keeps: metadata only"
            : `keeps: ${node.keep.join(", ")}`,
        "state: none; a record for which the code throws is a bad one",
        ...code("code", node.source),
      ];
    case "process": {
      const by = node.by.map(({ name }) => name).join(", ");
      return [
        `process by ${by} to ${columnsText(node.schema)}`,
        node.ttl === undefined
          ? `state: one object and its timers per key (${by}); grows with the number of keys; no horizon (give ttl)`
          : `state: one object and its timers per key (${by}) with a row in the last ${printDuration(node.ttl)} of event time`,
        ...(node.onTimer === undefined
          ? []
          : ["timers: once the partition's watermark has reached them, in time order"]),
        ...(setsWallTimers(node) ? ["wall clock: wallTimer depends on when it runs, not on the records alone"] : []),
        ...Object.entries(node.source).flatMap(([name, text]) => code(name, text)),
      ];
    }
    case "predict":
      return [
        `predict ${columnsText(node.schema)} from ${node.features.join(", ")}`,
        "state: none; a record for which the model fails is a bad one",
        ...(node.path === undefined
          ? code("model", node.source)
          : [`model: ${node.path} (ONNX, sha256 ${node.source.slice(0, 12)})`]),
      ];
  }
}

function columnsText(schema: Schema): string {
  return Object.entries(schema)
    .map(([name, dtype]) => `${name} ${dtype}`)
    .join(", ");
}

function code(label: string, source: string): string[] {
  const [first, ...rest] = source.split("\n");
  const clock = unrepeatable(source);
  return [
    `${label}: ${first}`,
    ...rest.map((line) => `  ${line}`),
    ...(clock === undefined ? [] : [`not repeatable: ${label} uses ${clock}, so a replay gives other values`]),
  ];
}
