import { Refusal } from "../error.ts";
import { explain } from "../plan/explain.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { mermaid } from "../plan/picture.ts";

export interface ExplainOptions {
  /** `"text"` (default); `"mermaid"`, a flowchart as text; `"picture"`, which a notebook draws. */
  readonly as?: "text" | "mermaid" | "picture";
}

/** What runs, for a notebook to draw: the flowchart, and the text below it. */
export class PlanPicture {
  readonly text: string;
  readonly mermaid: string;

  constructor(node: PlanNode) {
    this.text = explain(node);
    this.mermaid = mermaid([node]);
    Object.freeze(this);
  }

  [Symbol.for("Jupyter.display")](): Readonly<Record<string, string>> {
    return {
      "text/markdown": `\`\`\`mermaid\n${this.mermaid}\n\`\`\`\n\n\`\`\`text\n${this.text}\n\`\`\``,
      "text/plain": this.text,
    };
  }
}

/** @throws Refusal `BAD_OPTION` */
export function explanation(node: PlanNode, { as = "text" }: ExplainOptions = {}): string | PlanPicture {
  switch (as) {
    case "text":
      return explain(node);
    case "mermaid":
      return mermaid([node]);
    case "picture":
      return new PlanPicture(node);
    default:
      throw new Refusal({
        code: "BAD_OPTION",
        what: `a plan cannot be explained as ${JSON.stringify(as)}`,
        where: "explain",
        remedies: ['as: "text", "mermaid" or "picture"'],
      });
  }
}
