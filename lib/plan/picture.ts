import { explainLines } from "./explain.ts";
import { inputsOf, nodesOf, type PlanNode } from "./nodes/plan-node.ts";

const WIDTH = 72;

/** How nodes are drawn: where rows come from, go to, are placed anew, and keep state. */
const SHAPES: Readonly<Record<string, readonly [string, string]>> = {
  source: ["[(", ")]"],
  table: ["[(", ")]"],
  sink: ["[/", "/]"],
  keyBy: ["{{", "}}"],
};

/**
 * A plan as a Mermaid flowchart: its verbs with the state they keep, from the sources on. A sub-plan that several verbs use is drawn once.
 * Notebooks draw it where it stands in Markdown. There is no picture as SVG: Mermaid draws in a browser only, and a layout of our own would be one more.
 */
export function mermaid(terminals: readonly PlanNode[]): string {
  const nodes = nodesOf(terminals);
  const ids = new Map(nodes.map((node, i) => [node, `n${i + 1}`]));
  const stateful: string[] = [];
  const lines = nodes.map((node) => {
    const [head = "", ...rest] = explainLines(node, terminals.at(-1)!);
    const state = rest.filter((line) => line.startsWith("state: ") && !line.startsWith("state: none"));
    const more = rest.filter((line) =>
      /^(columns read|record key|event time|idle|placed anew|closes|timers|wall clock|gives|key):/.test(line),
    );
    if (state.length > 0) stateful.push(ids.get(node)!);
    const [open, close] = SHAPES[node.kind] ?? ["[", "]"];
    const label = [head, ...more, ...state].map(shortened).map(escaped).join("<br/>");
    return `  ${ids.get(node)}${open}"${label}"${close}`;
  });
  const edges = nodes.flatMap((node) => inputsOf(node).map((input) => `  ${ids.get(input)} --> ${ids.get(node)}`));
  const styles =
    stateful.length === 0
      ? []
      : ["  classDef state fill:#fff4d6,stroke:#c90,color:#333", `  class ${stateful.join(",")} state`];
  return ["flowchart TD", ...lines, ...edges, ...styles].join("\n");
}

function shortened(line: string): string {
  return line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`;
}

/** Characters that mean something to Mermaid, as its own entities. */
function escaped(line: string): string {
  return line.replace(/["#<>&`{}[\]()|\\]/g, (char) => `#${char.codePointAt(0)};`);
}
