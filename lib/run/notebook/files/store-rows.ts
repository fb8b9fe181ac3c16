import path from "node:path";
import type pl from "nodejs-polars";
import { Refusal } from "../../../error.ts";
import type { FileTarget, RunOptions, RunReport } from "../../../frame/driver.ts";
import { shownColumns } from "../../../plan/named-metadata.ts";
import type { PlanNode } from "../../../plan/nodes/plan-node.ts";
import { stacked } from "../../../polars/stacked.ts";
import { emptyFrame, schemaOf } from "../../../schema.ts";
import type { ReadRows } from "../plan-reader.ts";
import { readBounded } from "../read-bounded.ts";
import type { Session } from "../session.ts";
import { writeParquetFiles } from "./parquet-files.ts";
import { SessionTable } from "./session-tables.ts";

/**
 * Writes the rows of a bounded range to a table of the session, batch by batch, or to Parquet files, when all are read.
 * @throws Refusal `UNKNOWN_COLUMN`, `RANGES_OVERLAP`, `NOT_BUILT`
 */
export async function storeRows(
  session: Session,
  node: PlanNode,
  target: FileTarget,
  options: RunOptions,
): Promise<RunReport> {
  const started = performance.now();
  let rowsOut = 0;
  let table: SessionTable | undefined;
  const kept = new Map<string, pl.DataFrame[]>();
  const open = async (frame: pl.DataFrame) => {
    if (target.kind !== "table") return;
    const unknown = target.key?.find((name) => !frame.columns.includes(name));
    if (unknown !== undefined) throw unknownKey(target.name, unknown, frame.columns);
    table ??= await SessionTable.create(target.name, schemaOf(frame), target.key);
  };
  if (target.kind === "parquet" && options.until === "stopped")
    throw new Refusal({
      code: "NOT_BUILT",
      what: "Parquet files of a range without an end are not built: a file is written once all its rows are there",
      where: `.toParquet("${target.folder}")`,
      remedies: ['give until: a number of rows, a duration ("10m"), "end"'],
    });
  const { from, until, signal } = options;
  const what = target.kind === "table" ? `writing table ${target.name}` : `writing to ${target.folder}`;
  try {
    const take = async (batch: readonly ReadRows[], most: number) => {
      for (const { task, rows } of batch) {
        const left = Math.max(0, most - rowsOut);
        const frame = (rows.height > left ? rows.head(left) : rows).select(...shownColumns(node, rows.columns));
        rowsOut += frame.height;
        await open(frame);
        await table?.write(frame);
        if (target.kind === "parquet") kept.set(task, [...(kept.get(task) ?? []), frame]);
      }
    };
    const reader = await readBounded(session, node, { from, until, signal, shows: false, what }, (batch, reader) =>
      take(batch, reader.bound.rows ?? Number.POSITIVE_INFINITY),
    );
    const empty = emptyFrame(reader.terminal.schema);
    await open(empty.select(...shownColumns(node, empty.columns)));
    if (target.kind === "parquet") {
      const rows = new Map([...kept].map(([task, frames]) => [task, stacked(frames)]));
      await writeParquetFiles(path.resolve(target.folder), rows, reader.ranges);
    }
    return { rowsIn: reader.counts.records, rowsOut, seconds: (performance.now() - started) / 1000 };
  } finally {
    table?.close();
  }
}

const unknownKey = (table: string, name: string, columns: readonly string[]) =>
  new Refusal({
    code: "UNKNOWN_COLUMN",
    what: `the rows have no column "${name}" by which they replace earlier ones`,
    where: `.toTable("${table}")`,
    remedies: [`its columns are ${columns.map((column) => `"${column}"`).join(", ")}`, "name others: { key: … }"],
  });
