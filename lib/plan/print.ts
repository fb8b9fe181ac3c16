import type { Arg, ExprTree } from "./tree.ts";

/** The expression in Polars syntax, as it would be typed in a cell. */
export function print(tree: ExprTree): string {
  switch (tree.kind) {
    case "col":
      return `pl.col(${JSON.stringify(tree.name)})`;
    case "lit":
      return `pl.lit(${printArg(tree.value)})`;
    case "call":
      return `${print(tree.self)}.${tree.fn}(${tree.args.map(printArg).join(", ")})`;
    case "function":
      return `pl.${tree.fn}(${tree.args.map(printArg).join(", ")})`;
    case "when":
      return `pl${tree.branches
        .map((branch) => `.when(${print(branch.condition)}).then(${print(branch.value)})`)
        .join("")}.otherwise(${print(tree.otherwise)})`;
    case "foreign":
      return tree.text;
  }
}

function printArg(arg: Arg): string {
  if (arg === null || typeof arg !== "object") return JSON.stringify(arg);
  if (Array.isArray(arg)) return `[${arg.map(printArg).join(", ")}]`;
  const tagged = arg as Record<string, any>;
  switch (Object.keys(tagged)[0]) {
    case "$expr":
      return print(tagged.$expr);
    case "$date":
      return `new Date(${JSON.stringify(new Date(tagged.$date).toISOString())})`;
    case "$bigint":
      return `${tagged.$bigint}n`;
    case "$number":
      return tagged.$number;
    case "$regex":
      return `/${tagged.$regex[0]}/${tagged.$regex[1]}`;
    case "$dtype":
      return printDType(tagged.$dtype);
    case "$dtypeFunction":
      return `pl.${tagged.$dtypeFunction}`;
    case "$series":
      return `pl.Series(${tagged.$series
        .slice(0, 1)
        .map((name: Arg) => JSON.stringify(name))
        .join("")}, ${printArg(tagged.$series[2])}, ${printDType(tagged.$series[1])})`;
    case "$undefined":
      return "undefined";
    case "$opaque":
      return tagged.$opaque;
    default:
      return `{ ${Object.entries(tagged)
        .map(([key, value]) => `${key}: ${printArg(value)}`)
        .join(", ")} }`;
  }
}

/** `pl.Datetime("ms")` from `Datetime(ms)`; nested dtypes keep their own name. */
function printDType(name: string): string {
  const [, head, unit] = /^(Datetime|Duration)\((.*)\)$/.exec(name) ?? [];
  if (head !== undefined)
    return `pl.${head}(${unit!
      .split(",")
      .map((part) => JSON.stringify(part))
      .join(", ")})`;
  return `pl.${name === "Boolean" ? "Bool" : name}`;
}
