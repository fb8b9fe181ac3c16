import type { FormatName } from "../format/names.ts";
import type { SinkNode } from "../plan/nodes/sink-node.ts";
import type { ExprOrString } from "./arguments.ts";
import { display } from "./display.ts";
import { driver, type RunOptions, type RunReport } from "./driver.ts";
import { type ExplainOptions, explanation, type PlanPicture } from "./explanation.ts";

export interface SinkOptions {
  /** The column written as the record key; without it the key of the source record. */
  readonly key?: string;
  /** How rows become values; `"json"` by default. Avro and Protobuf need a schema registry (`SCHEMA_REGISTRY_URL`). */
  readonly format?: FormatName;
  /** The columns written as the value; without it every column except metadata (`_…`). */
  readonly value?: readonly string[];
  /** Rows for which this is true are written as tombstones. */
  readonly delete?: ExprOrString;
}

/** Rows that go to a topic: always in a job, in a notebook only through `run`. */
export class Sink {
  /** The plan, as data. */
  readonly node: SinkNode;

  constructor(node: SinkNode) {
    this.node = node;
    Object.freeze(this);
  }

  /** Writes the rows of a bounded range, or until stopped. A second run needs `again: true`. */
  run(options: RunOptions = {}): Promise<RunReport> {
    return driver().run(this.node, options);
  }

  /**
   * What runs: verbs, the state each keeps and by which keys, windows and watermarks. As text, as a Mermaid flowchart, or as a picture in the notebook.
   * @example
   * perSecond.explain({ as: "picture" })
   */
  explain(options?: { readonly as?: "text" | "mermaid" }): string;
  explain(options: { readonly as: "picture" }): PlanPicture;
  explain(options: ExplainOptions = {}): string | PlanPicture {
    return explanation(this.node, options);
  }

  [Symbol.for("Jupyter.display")](): unknown {
    return display(this.node);
  }
}
