import { Refusal } from "../error.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { updateKey } from "../plan/update-key.ts";
import { display } from "./display.ts";
import { declareFileSink, driver, type FileTarget, type RunOptions, type RunReport } from "./driver.ts";
import { type ExplainOptions, explanation, type PlanPicture } from "./explanation.ts";
import { tableRows } from "./table-rows.ts";

export interface ToTableOptions {
  /** The column or columns of which the table has one row per value, the last; for rows that are updates it is known by itself. */
  readonly key?: string | readonly string[];
}

/** Rows that go to a table or to Parquet files, through `run`. */
export class FileSink {
  /** The plan of the rows, as data. */
  readonly node: PlanNode;
  readonly target: FileTarget;

  constructor(node: PlanNode, target: FileTarget) {
    this.node = node;
    this.target = Object.freeze(target);
    Object.freeze(this);
  }

  /** Writes the rows of a bounded range (by default from the earliest record to the end as of now) in place of what it wrote of it before. */
  run(options: Omit<RunOptions, "again"> = {}): Promise<RunReport> {
    const { store } = driver();
    if (store === undefined) throw notInJobs([labelOf(this.target)]);
    return store(this.node, this.target, options);
  }

  /** What runs, as text, as a Mermaid flowchart, or as a picture in the notebook. */
  explain(options?: { readonly as?: "text" | "mermaid" }): string;
  explain(options: { readonly as: "picture" }): PlanPicture;
  explain(options: ExplainOptions = {}): string | PlanPicture {
    return explanation(this.node, options);
  }

  [Symbol.for("Jupyter.display")](): unknown {
    return display(this.node);
  }
}

/** @throws Refusal `NO_TABLE`, `NO_KEY`, `NOT_BUILT` */
export function toTable(node: PlanNode, name: string, { key }: ToTableOptions): FileSink {
  const where = `.toTable("${name}")`;
  if (typeof name !== "string" || !/^[\p{L}_][\p{L}\p{N}_-]{0,99}$/u.test(name))
    throw new Refusal({
      code: "NO_TABLE",
      what: ".toTable() needs the name of a table: a letter, then letters, digits, _ and -",
      where,
      remedies: ['.toTable("counts")'],
    });
  refuseTables(node, where);
  const known = key === undefined ? updateKey(node) : [key].flat();
  if (known === undefined || known.length === 0)
    throw new Refusal({
      code: "NO_KEY",
      what: "these rows replace earlier ones, and by which columns is not plain to see",
      where,
      remedies: [`.toTable("${name}", { key: ["device", "window_start"] })`],
    });
  return declared(node, { kind: "table", name, ...(known !== "none" && { key: Object.freeze([...known]) }) });
}

/** @throws Refusal `NO_FOLDER`, `NO_EXACT_STREAMING_MEANING`, `NOT_BUILT` */
export function toParquet(node: PlanNode, folder: string): FileSink {
  const where = `.toParquet("${folder}")`;
  if (typeof folder !== "string" || folder === "")
    throw new Refusal({ code: "NO_FOLDER", what: ".toParquet() was given no folder", remedies: ['.toParquet("out")'] });
  refuseTables(node, where);
  if (updateKey(node) !== "none")
    throw new Refusal({
      code: "NO_EXACT_STREAMING_MEANING",
      what: "these rows replace earlier ones: in files, which only grow in number, every one of them would stay",
      where,
      remedies: ['.toTable("name") keeps the last row per key', 'windows with emit: "close"'],
    });
  return declared(node, { kind: "parquet", folder });
}

function declared(node: PlanNode, target: FileTarget): FileSink {
  declareFileSink(labelOf(target));
  return new FileSink(node, target);
}

const labelOf = (target: FileTarget) =>
  target.kind === "table" ? `.toTable("${target.name}")` : `.toParquet("${target.folder}")`;

function refuseTables(node: PlanNode, where: string): void {
  if (tableRows(node) === undefined) return;
  throw new Refusal({
    code: "NOT_BUILT",
    what: "a table of a topic, whose rows are deleted too, is not written yet",
    where,
    remedies: ["await frame.collect() gives its rows as of now"],
  });
}

/** What a job says to sinks that it does not run: left out silently, their rows would be missed. */
export function notInJobs(labels: readonly string[]): Refusal {
  return new Refusal({
    code: "NOT_BUILT",
    what: "A job does not write tables and files yet: they would not be exact after a kill.",
    where: labels.join(", "),
    remedies: [
      'write to a topic: .to("…"); a job\'s state is readable by SQL already',
      "tag the notebook's cell skip and promote again",
    ],
  });
}
