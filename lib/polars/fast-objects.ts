import { registerHooks } from "node:module";

/**
 * Makes nodejs-polars' objects cheap to build, and safe whatever their columns are called; imported for its effect, before anything evaluates nodejs-polars.
 *
 * nodejs-polars 0.26 builds every Expr, Series and DataFrame as one object literal of 130 to 200 methods, with members named by symbols near
 * the front. From the first such member on V8 defines members one by one, and beyond 128 of them each costs more than the last: about
 * 0.6 ms for every `pl.col("x")`. With the same members at the end of the literal it is about 0.012 ms. So they are moved there while the file
 * is loaded; nothing but the order of the members changes, and a file of another shape is left as it is.
 * The figures are in docs/decisions/007-polars-objects.md.
 */
const FILES = /nodejs-polars\/bin\/(?:lazy\/expr\/index|series\/index|dataframe|lazy\/dataframe)\.js$/;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!FILES.test(url) || loaded.source === undefined || loaded.source === null) return loaded;
    return { ...loaded, source: methodsBeforeColumns(symbolsLast(String(loaded.source))) };
  },
});

/**
 * The source with a frame's own members before its columns: as published, `frame.height` of a frame with a column "height" is that column, and
 * everything that counts on the method, nodejs-polars itself included, breaks on such data. `getColumn("height")` gives the column.
 */
export function methodsBeforeColumns(source: string): string {
  const columnFirst =
    'if (typeof prop === "string" && target.columns.includes(prop)) {\n                return target.getColumn(prop);';
  return source.replace(columnFirst, columnFirst.replace("if (", "if (!(prop in target) && "));
}

/** The source with the symbol-named methods of its object literals (literal at 4 spaces, members at 8) behind the others. */
export function symbolsLast(source: string): string {
  const literal = /^( {4}(?:return|const \w+ =) \{\n)([\s\S]*?)(^ {4}\};\n)/gm;
  const symbolMember = /^ {8}\*?\[[\w.]+\]\([^\n]*\) \{\n[\s\S]*?^ {8}\},\n/gm;
  return source.replace(literal, (whole, head: string, body: string, tail: string) => {
    const moved: string[] = [];
    const rest = body.replace(symbolMember, (member) => {
      moved.push(member);
      return "";
    });
    return moved.length === 0 ? whole : head + rest.replace(/([^,\n])\n$/, "$1,\n") + moved.join("") + tail;
  });
}
