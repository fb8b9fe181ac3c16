import { createRequire, registerHooks } from "node:module";
import { sharedMembers } from "./shared-members.ts";

/**
 * Makes nodejs-polars' objects cheap to build, and safe whatever their columns are called; imported for its effect, before anything evaluates nodejs-polars.
 *
 * nodejs-polars 0.26 builds every Expr, Series and DataFrame as one object literal of 130 to 200 methods, with members named by symbols near
 * the front. From the first such member on V8 defines members one by one, and beyond 128 of them each costs more than the last: about
 * 0.6 ms for every `pl.col("x")`. So they are moved to a prototype while the file is loaded (shared-members.ts); their text is what it was, and a file of
 * another shape is left as it is.
 * The figures are in docs/decisions/007-polars-objects.md.
 */
const FILES =
  /nodejs-polars[\\/]bin[\\/](?:lazy[\\/]expr[\\/]index|series[\\/]index|dataframe|lazy[\\/]dataframe)\.js$/;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!FILES.test(url) || loaded.source === undefined || loaded.source === null) return loaded;
    return { ...loaded, source: methodsBeforeColumns(sharedMembers(String(loaded.source))) };
  },
});
// where the program imports nodejs-polars as well, Node has looked into these for what they export, and keeps the source until they run
const { cache } = createRequire(import.meta.url);
for (const [file, module] of Object.entries(cache)) if (FILES.test(file) && !module?.loaded) delete cache[file];

/**
 * The source with a frame's own members before its columns: as published, `frame.height` of a frame with a column "height" is that column, and
 * everything that counts on the method, nodejs-polars itself included, breaks on such data. `getColumn("height")` gives the column.
 */
export function methodsBeforeColumns(source: string): string {
  const columnFirst =
    'if (typeof prop === "string" && target.columns.includes(prop)) {\n                return target.getColumn(prop);';
  return source.replace(columnFirst, columnFirst.replace("if (", "if (!(prop in target) && "));
}
