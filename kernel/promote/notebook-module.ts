import { registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const NAME = "__millrace_slice__.ts";

/**
 * Imports TypeScript text as if it were a file of this folder: its relative imports and packages are found there, `millrace` is this
 * process's own (which knows the sinks that get declared), `nodejs-polars` the folder's or this installation's.
 * @param loaded called with the URL of every other module that is loaded
 */
export async function importFromFolder(
  code: string,
  folder: string,
  loaded: (url: string) => void = () => {},
): Promise<void> {
  const url = pathToFileURL(path.join(folder, NAME)).href;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === url) return { url, format: "module-typescript", shortCircuit: true };
      const own = { ...context, parentURL: import.meta.url };
      if (/^millrace(\/|$)/.test(specifier)) return next(specifier, own);
      try {
        return next(specifier, context);
      } catch (error) {
        if (!/^nodejs-polars(\/|$)/.test(specifier)) throw error;
        return next(specifier, own);
      }
    },
    load(address, context, next) {
      if (address !== url) {
        loaded(address);
        return next(address, context);
      }
      return { source: code, format: "module-typescript", shortCircuit: true };
    },
  });
  await import(url);
}

/** The number of the cell a stack leads to; undefined where it does not touch the module. */
export const cellOf = (error: unknown, code: string): number | undefined => placeOf(error, code)?.cell;

/** That cell, and the text of the line. */
export function placeOf(error: unknown, code: string): { cell: number; line: string } | undefined {
  const line = String((error as Error)?.stack ?? "").match(new RegExp(`${NAME.replace(".", "\\.")}:(\\d+)`))?.[1];
  if (line === undefined) return undefined;
  const above = code.split("\n").slice(0, Number(line));
  const marker = above.findLast((text) => /^\/\/ cell \d+/.test(text));
  return marker === undefined ? undefined : { cell: Number(marker.match(/\d+/)![0]), line: above.at(-1)!.trim() };
}

/** The stack as far as the notebook's own code goes. */
export function stackOf(error: unknown): string {
  const lines = String((error as Error)?.stack ?? error).split("\n");
  const last = lines.findLastIndex((line) => line.includes(NAME));
  return lines
    .slice(0, last < 0 ? 1 : last + 1)
    .map((line) => line.replace(/\(?file:\S*\/__millrace_slice__\.ts:\d+:\d+\)?/, "the cell"))
    .join("\n");
}
