import type pl from "nodejs-polars";

/**
 * Rows as a table of text, one line a row, for tests to compare and readers to read. Numbers as they print, datetimes as ISO 8601, null as `-`.
 * Metadata columns (`_…`) are left out unless named.
 */
export function tableText(rows: pl.DataFrame, columns?: readonly string[]): string {
  const names = columns ?? rows.columns.filter((name) => !name.startsWith("_"));
  const cells = names.map((name) => rows.getColumn(name).toArray().map(cellText));
  const lines = [names, ...Array.from({ length: rows.height }, (_, row) => cells.map((column) => column[row]!))];
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const numeric = cells.map(
    (column) => column.length > 0 && column.every((cell) => /^(-|-?[\d.]+(e[+-]?\d+)?)$/.test(cell)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
  if (typeof value === "object") return JSON.stringify("toArray" in value ? (value as pl.Series).toArray() : value);
  return String(value);
}

/**
 * Records from a table of text: names in the first line, then a record a line, columns set apart by two spaces or more. `-` is null; numbers,
 * `true` and `false` are what they look like.
 */
export function parseTable(text: string): Record<string, unknown>[] {
  const [head = "", ...lines] = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const names = head.split(/\s{2,}/);
  return lines.map((line) => {
    const cells = line.split(/\s{2,}/);
    return Object.fromEntries(names.map((name, i) => [name, parseCell(cells[i] ?? "-")]));
  });
}

function parseCell(cell: string): unknown {
  if (cell === "-") return null;
  if (cell === "true" || cell === "false") return cell === "true";
  return cell !== "" && Number.isFinite(Number(cell)) ? Number(cell) : cell;
}
