import { MillraceError, Refusal } from "../error.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { toParquetNode } from "../plan/nodes/to-parquet-node.ts";
import { toTableNode } from "../plan/nodes/to-table-node.ts";
import { updateKey } from "../plan/update-key.ts";
import { display } from "./display.ts";
import { declareOutput, driver, type FileTarget, type RunOptions, type RunReport } from "./driver.ts";
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
  /** The table or the folder. */
  readonly target: FileTarget;
  /** What a job runs. */
  readonly #plan: PlanNode;

  constructor(node: PlanNode, target: FileTarget, plan: PlanNode = node) {
    this.node = node;
    this.target = Object.freeze(target);
    this.#plan = plan;
    Object.freeze(this);
  }

  /** Writes the rows of a bounded range (by default from the earliest record to the end as of now) in place of what it wrote of it before. */
  run(options: Omit<RunOptions, "again"> = {}): Promise<RunReport> {
    const { store } = driver();
    if (store === undefined)
      throw new MillraceError({
        code: "NO_DRIVER",
        what: `${labelOf(this.target)}.run() is for notebooks; a job writes tables and files by itself`,
        remedies: ["leave .run() out"],
      });
    // rows that replace each other come in the order of their keys, as they do in a job
    const node = this.target.kind === "table" && this.target.key !== undefined ? this.#plan : this.node;
    return store(node, this.target, options);
  }

  /** What runs, as text, as a Mermaid flowchart, or as a picture in the notebook. */
  explain(options?: { readonly as?: "text" | "mermaid" }): string;
  explain(options: { readonly as: "picture" }): PlanPicture;
  explain(options: ExplainOptions = {}): string | PlanPicture {
    return explanation(this.#plan, options);
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
  const kept = { name, ...(known !== "none" && { key: Object.freeze([...known]) }) };
  const table = toTableNode({ input: node, ...kept });
  declareOutput(table);
  return new FileSink(node, { kind: "table", ...kept }, table);
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
  const files = toParquetNode({ input: node, folder: withoutDots(folder) });
  declareOutput(files);
  return new FileSink(node, { kind: "parquet", folder }, files);
}

/** `./out/` is `out`: a folder has one name in a program. */
const withoutDots = (folder: string) => folder.replace(/^(\.\/+)+(?=.)/, "").replace(/(?<=.)\/+$/, "");

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
