import { Command } from "commander";
import { readState } from "../../../lib/run/job/read-state.ts";
import type { StateAnswer } from "../../../lib/state/duckdb/state-query.ts";

export const command = new Command("state")
  .description("read a job's state by SQL, as of its last checkpoint")
  .argument("<where>", "a job's folder, its state folder, or the URL of a running job")
  .argument("[sql]", "one SELECT", "SHOW TABLES")
  .option("--worker <N>", "of a job with several workers (--workers): whose state, from 0 on", Number)
  .option("--json", "print one JSON object: columns, types, rows, truncated")
  .action(async (where: string, sql: string, { json, worker }: { json?: boolean; worker?: number }) => {
    const answer = await readState(where, sql, undefined, { ...(worker !== undefined && { worker }) });
    process.stdout.write(json ? `${JSON.stringify(answer)}\n` : table(answer));
  });

/** Columns side by side under their names; numbers to the right. */
function table({ columns, types, rows, truncated }: StateAnswer): string {
  const cells = rows.map((row) =>
    row.map((cell) => (cell === null ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell))),
  );
  const widths = columns.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const right = types.map((type) => /INT|DOUBLE|FLOAT|DECIMAL/.test(type));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join("  ")
      .trimEnd();
  const lines = [line(columns), line(widths.map((width) => "─".repeat(width))), ...cells.map(line)];
  const count = `${rows.length}${truncated ? "+" : ""} row${rows.length === 1 ? "" : "s"}`;
  return `${[...lines, "", count].join("\n")}\n`;
}
