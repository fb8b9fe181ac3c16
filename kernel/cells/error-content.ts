import { inspect, types } from "node:util";
import { text } from "../display/bundle.ts";
import { probe } from "../display/probe.ts";
import type { CellDiagnostic } from "../language/compiled-cell.ts";
import type { CellScripts } from "./cell-scripts.ts";
import type { ErrorContent } from "./outputs.ts";

/** The kernel's own frames are of no use to the user. */
const KERNEL = new URL("../", import.meta.url).href;
const LIBRARY = new URL("../../lib/", import.meta.url).href;

/** So many errors of an `AggregateError` are told. */
const MOST_ERRORS = 10;

const OWN_ERRORS = new Set(["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "AggregateError"]);

const red = (text: string) => `\u001b[91m${text}\u001b[39m`;
const gray = (text: string) => `\u001b[90m${text}\u001b[39m`;
const cyan = (text: string) => `\u001b[96m${text}\u001b[39m`;

/**
 * What a cell threw, as Jupyter shows it: name, message, and the stack as far as it is the user's, each place given as `cell 3:2:7`. Whatever was
 * thrown, this says something of it: an error may refuse to tell its message, and the cell has to end nevertheless.
 */
export function errorContent(error: unknown, scripts: CellScripts): ErrorContent {
  if (!isError(error)) {
    const shown = typeof error === "string" ? error : text(error);
    return { ename: "Thrown", evalue: shown, traceback: [red(`Thrown: ${shown}`)] };
  }
  const { ename, evalue } = said(error);
  return { ename, evalue, traceback: [headline(error), ...details(error, scripts, [])] };
}

/** Name and message, as far as the error lets them be read. */
function said(error: Error): { ename: string; evalue: string } {
  const name = probe(error, "name");
  const made = probe(probe(error, "constructor"), "name");
  const message = probe(error, "message");
  const named = typeof name === "string" && name !== "" ? name : undefined;
  const ofClass = typeof made === "string" && made !== "" ? made : undefined;
  // A class of errors that gives itself no name has that of the language's own which it extends.
  const inherited = named === undefined || OWN_ERRORS.has(named);
  return {
    ename: (inherited ? ofClass : undefined) ?? named ?? "Error",
    evalue: typeof message === "string" ? message : message === undefined ? "" : text(message),
  };
}

function headline(error: Error): string {
  const { ename, evalue } = said(error);
  return red(evalue === "" ? ename : `${ename}: ${evalue}`);
}

/** @param above the errors this one is told as a part of: an error may be its own cause */
function details(error: Error, scripts: CellScripts, above: readonly Error[]): string[] {
  const told = saysWhatToDo(error);
  const lines = frames(error, scripts, told);
  const own = told ? undefined : properties(error);
  if (own !== undefined) lines.push(...own.split("\n"));
  const path = [...above, error];
  const errors = probe(error, "errors");
  const cause = probe(error, "cause");
  if (Array.isArray(errors)) {
    for (const each of errors.slice(0, MOST_ERRORS)) lines.push(...nested("also", each, scripts, path));
    if (errors.length > MOST_ERRORS) lines.push(`also ${errors.length - MOST_ERRORS} more`);
  }
  if (cause !== undefined) lines.push(...nested("caused by", cause, scripts, path));
  return lines;
}

function nested(how: string, error: unknown, scripts: CellScripts, above: readonly Error[]): string[] {
  if (!isError(error)) return [`${how}: ${text(error)}`];
  if (above.includes(error) || above.length > 3)
    return [`${how} ${headline(error)}${above.includes(error) ? " (itself)" : ""}`];
  return [`${how} ${headline(error)}`, ...details(error, scripts, above).map((line) => `  ${line}`)];
}

/** The stack's frames up to the kernel's own, and under the first of the cell's the line it stands on. */
function frames(error: Error, scripts: CellScripts, usersOnly: boolean): string[] {
  const said = probe(error, "stack");
  const stack = typeof said === "string" ? said : "";
  const all = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const kept = all.filter((line) => !/node:(internal|vm|diagnostics_channel)/.test(line) && !line.includes(KERNEL));
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
  try {
    const extra = Object.entries(Object.getOwnPropertyDescriptors(error)).filter(
      ([key, { enumerable }]) => enumerable && !["name", "message", "stack", "cause", "errors"].includes(key),
    );
    if (extra.length === 0) return undefined;
    // Getters are named, not called; the error itself, where it is among them, is not printed a second time.
    const values = extra.map(([key, { value, get }]) => [key, value === error ? ITSELF : (value ?? get)]);
    return inspect(Object.fromEntries(values), {
      depth: 2,
      breakLength: 100,
      maxArrayLength: 100,
      maxStringLength: 10_000,
    });
  } catch {
    return undefined; // a proxy that does not say
  }
}

const ITSELF = { [inspect.custom]: () => "[this error]" };

/** An error of millrace: its message holds what, where and what to do; where in the library it was made says nothing to the user. */
const saysWhatToDo = (error: Error): boolean =>
  typeof probe(error, "code") === "string" &&
  typeof probe(error, "what") === "string" &&
  Array.isArray(probe(error, "remedies"));

function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false; // a proxy that does not say
  }
}

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
