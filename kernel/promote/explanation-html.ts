import { cellTitle, type ExplainedStatement, type Explanation } from "./explain.ts";

const STYLE = `
  body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; background: #fff; }
  section { margin: 1rem 0; border: 1px solid #d5dbe3; border-radius: 6px; overflow: hidden; }
  h2 { font-size: 0.85rem; font-weight: 600; margin: 0; padding: 0.35rem 0.8rem; background: #f2f4f7; color: #4a5565; }
  .statement { padding: 0.4rem 0.8rem; border-left: 5px solid; }
  .kept { border-color: #1a7f4b; background: #eef9f2; }
  .dropped { border-color: #b6bec9; color: #5b6675; }
  .problem { border-color: #b3261e; background: #fdf0ef; }
  code { font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap; }
  .reason { font-size: 0.8rem; }
`;

/** A page of its own, without scripts: each cell with its statements, kept ones green, dropped ones grey, problems red. */
export function explanationHtml({ notebook, statements, problems }: Explanation): string {
  const cells = new Map<number, ExplainedStatement[]>();
  for (const statement of statements) cells.set(statement.cell, [...(cells.get(statement.cell) ?? []), statement]);
  const found = problems.map(
    ({ code, what, cell, line, remedies }) =>
      `<div class="statement problem"><strong>${code}</strong>${cell === undefined ? "" : ` cell ${cell}, line ${line}`}: ${escaped(what)}<div class="reason">${escaped(remedies.join("; or: "))}</div></div>`,
  );
  const kept = statements.filter((statement) => statement.kept).length;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(notebook)}: what its sinks need</title>
<style>${STYLE}</style>
<h1>${escaped(notebook)}</h1>
<p>${kept} of ${statements.length} statements become the job${problems.length > 0 ? `; ${problems.length} ${problems.length === 1 ? "reason" : "reasons"} against promotion` : ""}.</p>
${found.length > 0 ? `<section><h2>Against promotion</h2>${found.join("")}</section>` : ""}
${[...cells.values()].map(section).join("\n")}
</html>
`;
}

function section(statements: readonly ExplainedStatement[]): string {
  const rows = statements.map(
    ({ kept, line, source, reason }) =>
      `<div class="statement ${kept ? "kept" : "dropped"}"><code>${line}: ${escaped(source)}</code><div class="reason">${kept ? "kept" : "dropped"}: ${escaped(reason)}</div></div>`,
  );
  return `<section><h2>${escaped(cellTitle(statements[0]!))}</h2>\n${rows.join("\n")}\n</section>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
