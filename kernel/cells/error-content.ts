import { inspect, types } from "node:util";
import type { CellDiagnostic } from "../language/compiled-cell.ts";
import type { CellScripts } from "./cell-scripts.ts";
import type { ErrorContent } from "./outputs.ts";

/** The kernel's own frames are of no use to the user. */
const KERNEL = new URL("../", import.meta.url).href;
const LIBRARY = new URL("../../lib/", import.meta.url).href;

const red = (text: string) => `\u001b[91m${text}\u001b[39m`;
const gray = (text: string) => `\u001b[90m${text}\u001b[39m`;
const cyan = (text: string) => `\u001b[96m${text}\u001b[39m`;

/** What a cell threw, as Jupyter shows it: name, message, and the stack as far as it is the user's, each place given as `cell 3:2:7`. */
export function errorContent(error: unknown, scripts: CellScripts): ErrorContent {
  if (!isError(error)) {
    const shown = typeof error === "string" ? error : inspect(error);
    return { ename: "Thrown", evalue: shown, traceback: [red(`Thrown: ${shown}`)] };
  }
  const ename = error.name || error.constructor?.name || "Error";
  const evalue = String(error.message);
  return { ename, evalue, traceback: [red(evalue === "" ? ename : `${ename}: ${evalue}`), ...details(error, scripts)] };
}

function details(error: Error, scripts: CellScripts, depth = 0): string[] {
  const told = saysWhatToDo(error);
  const lines = frames(error, scripts, told);
  const own = told ? undefined : properties(error);
  if (own !== undefined) lines.push(...own.split("\n"));
  if (error instanceof AggregateError && depth < 3)
    for (const each of error.errors) lines.push(...nested("also", each, scripts, depth));
  if (error.cause !== undefined && depth < 3) lines.push(...nested("caused by", error.cause, scripts, depth));
  return lines;
}

function nested(how: string, error: unknown, scripts: CellScripts, depth: number): string[] {
  if (!isError(error)) return [`${how}: ${inspect(error)}`];
  return [
    `${how} ${red(`${error.name}: ${error.message}`)}`,
    ...details(error, scripts, depth + 1).map((line) => `  ${line}`),
  ];
}

/** The stack's frames up to the kernel's own, and under the first of the cell's the line it stands on. */
function frames(error: Error, scripts: CellScripts, usersOnly: boolean): string[] {
  const stack = typeof error.stack === "string" ? error.stack : "";
  const all = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const kept = all.filter((line) => !/node:internal|node:vm/.test(line) && !line.includes(KERNEL));
  let pointed = false;
  return kept.flatMap((line) => {
    const at = /\(?((?:hidden )?cell \d+):(\d+):(\d+)\)?$/.exec(line);
    if (at === null && usersOnly && (line.includes(LIBRARY) || line.includes("/node_modules/"))) return [];
    if (at === null) return [gray(line.replaceAll(/\?v=\d+/g, ""))];
    const source = pointed ? undefined : scripts.sourceLine(at[1]!, Number(at[2]));
    pointed ||= source !== undefined;
    const shown = [
      line.replace(
        at[0],
        `${at[0].startsWith("(") ? "(" : ""}${cyan(`${at[1]}:${at[2]}:${at[3]}`)}${at[0].endsWith(")") ? ")" : ""}`,
      ),
    ];
    if (source !== undefined) shown.push(`      ${source}`, `      ${" ".repeat(Number(at[3]) - 1)}${red("^")}`);
    return shown;
  });
}

/** What the error carries besides name, message and stack. */
function properties(error: Error): string | undefined {
  const extra = Object.fromEntries(
    Object.entries(error).filter(([key]) => !["name", "message", "stack", "cause", "errors"].includes(key)),
  );
  return Object.keys(extra).length === 0 ? undefined : inspect(extra, { depth: 2, breakLength: 100 });
}

/** An error of millrace: its message holds what, where and what to do; where in the library it was made says nothing to the user. */
const saysWhatToDo = (error: Error & { code?: unknown; what?: unknown; remedies?: unknown }): boolean =>
  typeof error.code === "string" && typeof error.what === "string" && Array.isArray(error.remedies);

const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value);

/** Type errors as the compiler prints them: cell, line and column, the line and carets under what is meant. */
export function typeErrorContent(diagnostics: readonly CellDiagnostic[]): ErrorContent {
  const first = diagnostics[0]!;
  const traceback = diagnostics.flatMap(({ cell, code, message, line, column, lineText, length }) => [
    `${cyan(`${cell}:${line}:${column}`)} - ${red("error")} ${gray(`${code}:`)} ${message}`,
    "",
    `${gray(String(line))} ${lineText}`,
    `${" ".repeat(String(line).length + column)}${red("~".repeat(length))}`,
    "",
  ]);
  return {
    ename: first.code === "UNKNOWN_COLUMN" ? "UnknownColumn" : "TypeScriptError",
    evalue: `${first.cell}:${first.line}:${first.column} - ${first.code}: ${first.message}`,
    traceback,
  };
}
