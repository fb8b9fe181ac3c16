import type { ExprTree } from "../tree.ts";
import { FUNCTION_MEANINGS } from "./function-meanings.ts";
import { type Meaning, ROW_WISE, refused } from "./meaning.ts";
import { METHOD_MEANINGS } from "./method-meanings.ts";

/** What the outermost call of an expression means on a stream. What is in no table is refused by name. */
export function meaningOf(tree: ExprTree): Meaning {
  switch (tree.kind) {
    case "col":
    case "lit":
    case "when":
      return ROW_WISE;
    case "call": {
      const entry = Object.hasOwn(METHOD_MEANINGS, tree.fn) ? METHOD_MEANINGS[tree.fn] : undefined;
      if (entry === undefined) return refused(`the method ${tree.fn} is not known to this version of Millrace`);
      return typeof entry === "function" ? entry(tree) : entry;
    }
    case "function":
      return Object.hasOwn(FUNCTION_MEANINGS, tree.fn)
        ? FUNCTION_MEANINGS[tree.fn]!
        : refused(`the function pl.${tree.fn} is not known to this version of Millrace`);
    case "foreign":
      return refused("it was not built with millrace's own pl, so the plan cannot hold it");
  }
}
