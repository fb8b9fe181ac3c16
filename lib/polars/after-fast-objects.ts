import { createRequire } from "node:module";
import "./fast-objects.ts";

/**
 * The module `name` beside the module `url`, once nodejs-polars will be read as fast-objects.ts wants it; for the entry points of this package,
 * each of which may be the first that a program evaluates.
 *
 * Required, not imported: what is imported is linked, and nodejs-polars read, before fast-objects.ts has run. (A top-level await would do as
 * well, but then a CommonJS program, such as a cell of stock tslab, could not require millrace.)
 */
export function afterFastObjects<Module>(url: string, name: string): Module {
  return createRequire(url)(`${name}.${url.endsWith(".ts") ? "ts" : "js"}`) as Module;
}
