import ts from "typescript";
import { columnRemedies } from "../../../lib/plan/analysis/unknown-column.ts";
import { isMetadata } from "../../../lib/plan/metadata.ts";
import { columnSite, isCompared } from "./column-site.ts";
import type { FrameColumns } from "./frame-columns.ts";
import { rowSite } from "./row-site.ts";

/** A column that a frame does not have, where that is certain. */
export interface UnknownColumn {
  readonly start: number;
  readonly length: number;
  readonly message: string;
}

/** What may name a column: not metadata, not a pattern over columns, not what every object has (`row.toString()`). */
function isName(node: ts.Node): node is ts.StringLiteralLike | ts.Identifier {
  if (!ts.isStringLiteralLike(node) && !ts.isIdentifier(node)) return false;
  return !isMetadata(node.text) && !(node.text in Object.prototype) && !/^\^.*\$$|^\*$|^$/.test(node.text);
}

/** Names of columns in a cell that its frames do not have. */
export function unknownColumns(file: ts.SourceFile, userEnd: number, frames: FrameColumns): UnknownColumn[] {
  const found: UnknownColumn[] = [];
  const visit = (node: ts.Node) => {
    if (node.pos >= userEnd) return;
    if (isName(node)) {
      const site = columnSite(node, frames) ?? rowSite(node, frames);
      const columns = site === undefined ? undefined : frames.of(site);
      if (columns?.closed && columns.types.size > 0 && !columns.types.has(node.text)) {
        const remedies = columnRemedies(node.text, [...columns.types.keys()]);
        const text = `a bare string names a column; for the text itself: pl.lit(${JSON.stringify(node.text)})`;
        const [first, ...rest] = isCompared(node) ? [text, ...remedies] : remedies;
        const start = node.getStart(file);
        const message = [`there is no column "${node.text}" here: ${first}`, ...rest.map((line) => `  ${line}`)];
        found.push({ start, length: node.end - start, message: message.join("\n") });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
