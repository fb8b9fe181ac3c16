import ts from "typescript";
import type { CellSession } from "./cell-session.ts";
import { unitsFromCodePoints } from "./code-points.ts";
import type { Inspection } from "./service.ts";

/** What stands at the cursor, or the function whose arguments are being written: its type, its documentation, and with detail 1 where it is defined. */
export function inspect(session: CellSession, source: string, cursor: number, detail: 0 | 1): Inspection {
  const at = unitsFromCodePoints(source, cursor);
  const file = session.scratch(source);
  const info = quickInfo(session, file, at) ?? (at > 0 ? quickInfo(session, file, at - 1) : undefined);
  const signature = info === undefined ? signatureHelp(session, file, at) : undefined;
  const shown = info ?? signature;
  if (shown === undefined) return { found: false };
  const where = detail === 1 ? definition(session, file, at) : undefined;
  /** @param between the tags: Markdown makes one paragraph of lines that follow each other */
  const parts = (between: string) =>
    [shown.documentation, shown.tags.join(between), where].filter((part) => part !== undefined && part !== "");
  return {
    found: true,
    plain: [shown.type, ...parts("\n")].join("\n\n"),
    markdown: [`\`\`\`typescript\n${shown.type}\n\`\`\``, ...parts("\n\n")].join("\n\n"),
  };
}

interface Shown {
  readonly type: string;
  readonly documentation: string;
  readonly tags: readonly string[];
}

function quickInfo(session: CellSession, file: string, at: number): Shown | undefined {
  const { service } = session;
  const info = service.getQuickInfoAtPosition(file, at);
  if (info === undefined || isUnknown(info)) return undefined;
  const original = definedElsewhere(service, file, at);
  const { documentation, tags } = original ?? info;
  const written = ts.displayPartsToString(documentation);
  return {
    type: session
      .readable(ts.displayPartsToString(original?.displayParts ?? info.displayParts))
      .replace(/\nimport [\w.]+( = [\w.]+)?$/, ""),
    documentation: written === "" && (tags ?? []).length === 0 ? commentBeside(session, file, at) : written,
    tags: tagLines(tags),
  };
}

/** Of a name that is not there the compiler says `any` and nothing else. */
const isUnknown = ({ kind, displayParts }: ts.QuickInfo) =>
  kind === ts.ScriptElementKind.unknown && ts.displayPartsToString(displayParts) === "any";

/**
 * The compiler takes no comment for documentation that begins on the line on which the statement before ends, as in `const a = 1; /** … *\/ const b`.
 * Cells are written like that.
 */
function commentBeside(session: CellSession, file: string, at: number): string {
  const found = session.service.getDefinitionAtPosition(file, at)?.[0];
  const text = found === undefined ? undefined : session.text(found.fileName);
  if (found === undefined || text === undefined) return "";
  const start = found.contextSpan?.start ?? found.textSpan.start;
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, start));
  if (comment === null) return "";
  return comment[1]!
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .trim();
}

/** A name of an earlier cell is an import or a declaration that the session made: what the user wrote stands in that cell. */
function definedElsewhere(service: ts.LanguageService, file: string, at: number): ts.QuickInfo | undefined {
  const first = service.getDefinitionAtPosition(file, at)?.[0];
  if (first === undefined) return undefined;
  const name = /__cell_\d+\.ts$/;
  if (name.test(first.fileName)) return service.getQuickInfoAtPosition(first.fileName, first.textSpan.start);
  if (first.fileName !== file || (first.containerKind !== undefined && first.textSpan.start <= at)) return undefined;
  const type = service.getTypeDefinitionAtPosition(file, at)?.[0];
  return type !== undefined && name.test(type.fileName) && type.name === first.name
    ? service.getQuickInfoAtPosition(type.fileName, type.textSpan.start)
    : undefined;
}

function signatureHelp(session: CellSession, file: string, at: number): Shown | undefined {
  const help = session.service.getSignatureHelpItems(file, at, undefined);
  const item = help?.items[help.selectedItemIndex];
  if (help === undefined || item === undefined) return undefined;
  const parameters = item.parameters.map(({ displayParts }) => ts.displayPartsToString(displayParts));
  const type =
    ts.displayPartsToString(item.prefixDisplayParts) +
    parameters.join(ts.displayPartsToString(item.separatorDisplayParts)) +
    ts.displayPartsToString(item.suffixDisplayParts);
  const parameter = item.parameters[help.argumentIndex];
  const here = parameter === undefined ? "" : ts.displayPartsToString(parameter.documentation);
  const documentation = [ts.displayPartsToString(item.documentation), here === "" ? "" : `${parameter!.name}: ${here}`];
  return {
    type: session.readable(type),
    documentation: documentation.filter((line) => line !== "").join("\n\n"),
    tags: tagLines(item.tags),
  };
}

function definition({ service }: CellSession, file: string, at: number): string | undefined {
  const found = service.getDefinitionAtPosition(file, at)?.[0];
  return found === undefined || /__cell_\w+\.ts$/.test(found.fileName) ? undefined : `Defined in ${found.fileName}`;
}

const tagLines = (tags: readonly ts.JSDocTagInfo[] = []) =>
  tags.map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`.trimEnd());
