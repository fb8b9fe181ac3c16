import { readFileSync } from "node:fs";
import { nodesOf, type PlanNode } from "../../lib/plan/nodes/plan-node.ts";
import { type Needs, packageManifest } from "./modules.ts";

const RUNTIME = "onnxruntime-node";

/** A plan with an ONNX file needs the package that computes it, in the version the notebook has, although no statement imports it. */
export function withOnnxRuntime(needs: Needs, terminals: readonly PlanNode[], folder: string): Needs {
  const models = nodesOf(terminals).flatMap((node) =>
    node.kind === "predict" && node.path !== undefined ? [node.path] : [],
  );
  if (models.length === 0 || needs.packages.has(RUNTIME)) return needs;
  const manifest = packageManifest(RUNTIME, folder);
  if (manifest === undefined)
    return {
      ...needs,
      problems: [
        ...needs.problems,
        {
          code: "UNRESOLVED_IMPORT",
          what: `The model ${models[0]} is computed by ${RUNTIME}, which is not installed where the notebook is: the job would have no version of it.`,
          remedies: [
            `npm install --save-exact ${RUNTIME} there (ONNXRUNTIME_NODE_INSTALL=skip leaves CUDA's files out)`,
          ],
        },
      ],
    };
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { ...needs, packages: new Map([...needs.packages, [RUNTIME, version] as const].sort()) };
}
