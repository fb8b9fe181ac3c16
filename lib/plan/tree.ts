/**
 * An expression as plain JSON: the calls that made it, with the arguments as they were written.
 * A string argument that Polars takes as a column (`plus("a")`) is recorded as that column.
 */
export type ExprTree = ColTree | LitTree | CallTree | FunctionTree | WhenTree | ForeignTree;

/** One column by its exact name. Patterns and lists of columns are `function` trees (`pl.col("^g.*$")`, `pl.all()`). */
export interface ColTree {
  readonly kind: "col";
  readonly name: string;
}

/** `pl.lit(value)` */
export interface LitTree {
  readonly kind: "lit";
  readonly value: Arg;
}

/** A method: `fn` is `abs`, `str.toUpperCase`, `dt.hour`, … */
export interface CallTree {
  readonly kind: "call";
  readonly fn: string;
  readonly self: ExprTree;
  readonly args: readonly Arg[];
}

/** A free function of `pl`: `len`, `struct`, `concatList`, … */
export interface FunctionTree {
  readonly kind: "function";
  readonly fn: string;
  readonly args: readonly Arg[];
}

export interface WhenTree {
  readonly kind: "when";
  readonly branches: readonly { readonly condition: ExprTree; readonly value: ExprTree }[];
  readonly otherwise: ExprTree;
}

/** An expression that was not built with the recorded `pl`: only its text is known. It is refused in a plan. */
export interface ForeignTree {
  readonly kind: "foreign";
  readonly text: string;
}

/**
 * An argument: JSON as it is; anything else is an object with one key that starts with `$`:
 * `$expr` (a tree), `$date` (ms), `$bigint`, `$number` (`NaN`, `Infinity`, `-Infinity`, `-0`), `$regex` ([source, flags]),
 * `$dtype` (its name), `$dtypeFunction` (`Datetime`), `$series` ([name, dtype, values]), `$undefined`, and `$opaque` for what
 * cannot travel in a plan (refused there).
 */
export type Arg = null | boolean | number | string | readonly Arg[] | { readonly [key: string]: Arg | ExprTree };

/** The tree of an argument that is an expression itself (not one inside a list or object). */
export function argTree(arg: Arg | undefined): ExprTree | undefined {
  return isTagged(arg, "$expr") ? (arg.$expr as unknown as ExprTree) : undefined;
}

export function isTagged(arg: Arg | undefined, tag: string): arg is { readonly [key: string]: Arg } {
  return arg !== null && typeof arg === "object" && !Array.isArray(arg) && tag in arg;
}

/** Every expression in these arguments, however deep in lists and objects. */
export function argTrees(args: readonly Arg[]): ExprTree[] {
  const trees: ExprTree[] = [];
  mapArgs(args, (tree) => {
    trees.push(tree);
    return tree;
  });
  return trees;
}

/** These arguments with every expression in them replaced. */
export function mapArgs(args: readonly Arg[], replace: (tree: ExprTree) => ExprTree): readonly Arg[] {
  const map = (arg: Arg): Arg => {
    if (arg === null || typeof arg !== "object") return arg;
    if (Array.isArray(arg)) return arg.map(map);
    const tree = argTree(arg);
    if (tree !== undefined) return { $expr: replace(tree) };
    if (Object.keys(arg)[0]?.startsWith("$")) return arg;
    return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, map(value as Arg)]));
  };
  return args.map(map);
}

/** The direct sub-expressions. */
export function childrenOf(tree: ExprTree): readonly ExprTree[] {
  switch (tree.kind) {
    case "call":
      return [tree.self, ...argTrees(tree.args)];
    case "function":
      return argTrees(tree.args);
    case "when":
      return [...tree.branches.flatMap((branch) => [branch.condition, branch.value]), tree.otherwise];
    default:
      return [];
  }
}

/** The same expression with its direct sub-expressions replaced. */
export function mapChildren(tree: ExprTree, replace: (child: ExprTree) => ExprTree): ExprTree {
  switch (tree.kind) {
    case "call":
      return { ...tree, self: replace(tree.self), args: mapArgs(tree.args, replace) };
    case "function":
      return { ...tree, args: mapArgs(tree.args, replace) };
    case "when":
      return {
        kind: "when",
        branches: tree.branches.map((branch) => ({
          condition: replace(branch.condition),
          value: replace(branch.value),
        })),
        otherwise: replace(tree.otherwise),
      };
    default:
      return tree;
  }
}

/** Whether the expression or one inside it satisfies the condition. */
export function someTree(tree: ExprTree, condition: (tree: ExprTree) => boolean): boolean {
  return condition(tree) || childrenOf(tree).some((child) => someTree(child, condition));
}

/** The names of the columns an expression uses, each once. Patterns must have been expanded. */
export function columnsOf(tree: ExprTree): string[] {
  const names = new Set<string>();
  someTree(tree, (part) => {
    if (part.kind === "col") names.add(part.name);
    return false;
  });
  return [...names];
}

/** The expression that was given another name. */
export function withoutAlias(tree: ExprTree): ExprTree {
  return tree.kind === "call" && (tree.fn === "alias" || tree.fn === "as") ? withoutAlias(tree.self) : tree;
}

export const colTree = (name: string): ColTree => ({ kind: "col", name });

export const callTree = (fn: string, self: ExprTree, ...args: Arg[]): CallTree => ({ kind: "call", fn, self, args });
