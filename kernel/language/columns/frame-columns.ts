import ts from "typescript";
import type { Columns, KnownColumns } from "./known-columns.ts";
import { bare, namesOf, propertiesOf, textOf } from "./literals.ts";
import { outputName } from "./output-name.ts";
import { topicMention } from "./topics.ts";

/** Nothing is known. */
const OPEN: Columns = { types: new Map(), closed: false };
const WINDOW = ["window_start", "window_end"];
/** `f.groupBy…(…)`, before `.agg(…)`. */
const GROUPING = /^groupBy(Dynamic|Session|Rolling|Count)?$/;
/** Frames made of frames made of …: a chain longer than this is not followed. */
const DEEPEST = 200;

/**
 * What columns the frames of a cell have, by their text: as verbs name them, on top of what is known of frames of earlier cells and of topics. It
 * never guesses: where a name is computed, or a verb adds names that its text does not tell, the columns are not closed.
 */
export class FrameColumns {
  readonly #checker: ts.TypeChecker;
  readonly #known: KnownColumns;
  readonly #userEnd: number;
  readonly #found = new Map<ts.Node, Columns>();
  #depth = 0;

  /** @param userEnd where the user's text ends in the cell's file, and what ties it to other cells begins */
  constructor(checker: ts.TypeChecker, known: KnownColumns, userEnd: number) {
    this.#checker = checker;
    this.#known = known;
    this.#userEnd = userEnd;
  }

  /** Is this a frame, by its type? */
  isFrame(node: ts.Expression): boolean {
    return this.#typeName(node) === "StreamFrame";
  }

  /** Where a name was declared. */
  declarationOf(id: ts.Identifier): ts.Declaration | undefined {
    return this.#checker.getSymbolAtLocation(id)?.declarations?.[0];
  }

  /** The frame that an aggregate's columns belong to: `f` of `f.groupBy(…).agg`. */
  grouped(receiver: ts.Expression): ts.Expression | undefined {
    const call = bare(receiver);
    if (!ts.isCallExpression(call)) return undefined;
    const callee = bare(call.expression);
    if (!ts.isPropertyAccessExpression(callee) || !GROUPING.test(callee.name.text)) return undefined;
    return this.isFrame(callee.expression) ? callee.expression : undefined;
  }

  of(expression: ts.Expression): Columns {
    const node = bare(expression);
    const before = this.#found.get(node);
    if (before !== undefined) return before;
    if (this.#depth >= DEEPEST) return OPEN;
    this.#found.set(node, OPEN); // a frame that is made of itself
    this.#depth++;
    const found = this.#of(node);
    this.#depth--;
    this.#found.set(node, found);
    return found;
  }

  #of(node: ts.Expression): Columns {
    if (ts.isIdentifier(node)) return this.#named(node);
    if (!ts.isCallExpression(node)) return OPEN;
    const mention = topicMention(node);
    if (mention !== undefined) return this.#known.topic(mention) ?? OPEN;
    if (ts.isIdentifier(node.expression)) return node.expression.text === "topic" ? schemaOf(node) : OPEN;
    const callee = bare(node.expression);
    if (!ts.isPropertyAccessExpression(callee)) return OPEN;
    const verb = callee.name.text;
    if (verb === "agg") return this.#aggregated(callee.expression, node.arguments);
    if (!this.isFrame(callee.expression)) return OPEN;
    return this.#verb(verb, this.of(callee.expression), node.arguments);
  }

  #named(id: ts.Identifier): Columns {
    const declaration = this.declarationOf(id);
    if (declaration === undefined) return OPEN;
    if (declaration.pos >= this.#userEnd && declaration.getSourceFile() === id.getSourceFile()) {
      const known = this.#known.frame(id.text) ?? OPEN;
      return ts.isImportSpecifier(declaration) ? known : opened(known); // a `let` may hold another frame by now
    }
    if (!ts.isVariableDeclaration(declaration) || declaration.initializer === undefined) return OPEN;
    if (declaration.getSourceFile() !== id.getSourceFile() || !ts.isIdentifier(declaration.name)) return OPEN;
    const columns = this.of(declaration.initializer);
    return declaration.parent.flags & ts.NodeFlags.Const ? columns : opened(columns);
  }

  #verb(verb: string, input: Columns, args: readonly ts.Expression[]): Columns {
    switch (verb) {
      case "filter":
      case "unique":
      case "explode":
      case "dropNulls":
      case "fillNull":
      case "fillNan":
        return input;
      case "select":
        return made(input, args);
      case "withColumns":
      case "withColumn":
      case "keyBy":
        return joined(input, made(input, args));
      case "drop": {
        const names = args.map(namesOf);
        if (names.some((each) => each === undefined)) return opened(input);
        const dropped = new Set(names.flatMap((each) => each!));
        return { ...input, types: new Map([...input.types].filter(([name]) => !dropped.has(name))) };
      }
      case "rename": {
        const renamed = propertiesOf(args[0]);
        return renamed === undefined ? opened(input) : withNames(input, renamed);
      }
      case "withColumnRenamed": {
        const existing = textOf(args[0]);
        return existing === undefined ? opened(input) : withNames(input, new Map([[existing, args[1]]]));
      }
      case "map":
      case "flatMap": {
        const options = propertiesOf(args[1]);
        const kept = options?.has("keep") ? namesOf(options.get("keep")) : [];
        return kept === undefined ? OPEN : joined(pick(input, kept), schemaColumns(options?.get("schema")));
      }
      case "predict": {
        const as = textOf(propertiesOf(args[1])?.get("as"));
        return as === undefined ? opened(input) : joined(input, namedOnly([as]));
      }
      case "join":
      case "joinAsof":
        return args[0] !== undefined && this.isFrame(args[0])
          ? beside(input, this.of(args[0]), args[1])
          : opened(input);
      default:
        return OPEN;
    }
  }

  #aggregated(receiver: ts.Expression, aggs: readonly ts.Expression[]): Columns {
    const frame = this.grouped(receiver);
    if (frame === undefined) return OPEN;
    const call = bare(receiver) as ts.CallExpression;
    const kind = (bare(call.expression) as ts.PropertyAccessExpression).name.text;
    const input = this.of(frame);
    if (kind === "groupBy") return joined(made(input, call.arguments), made(input, aggs));
    const options = propertiesOf(call.arguments[0]);
    if (options === undefined) return OPEN;
    const by = options.get("by");
    const keys = by === undefined ? namedOnly([]) : made(input, [by]);
    const index = kind === "groupByRolling" ? namesOf(options.get("indexColumn")) : [];
    const all = joined(joined(keys, namedOnly([...(index ?? []), ...WINDOW])), made(input, aggs));
    return kind === "groupByCount" || index === undefined ? opened(all) : all;
  }

  #typeName(node: ts.Expression): string | undefined {
    return this.#checker.getTypeAtLocation(node).getSymbol()?.name;
  }
}

/** With other names: column -> the text of its new one. */
function withNames(input: Columns, renamed: ReadonlyMap<string, ts.Expression | undefined>): Columns {
  if ([...renamed.values()].some((to) => textOf(to) === undefined)) return opened(input);
  const name = (column: string) => (renamed.has(column) ? textOf(renamed.get(column)) : column);
  return { ...input, types: new Map([...input.types].map(([column, type]) => [name(column)!, type])) };
}

/** The columns that expressions make of those of `input`. */
function made(input: Columns, args: readonly ts.Expression[]): Columns {
  const types = new Map<string, string | undefined>();
  let closed = true;
  for (const arg of args.flatMap(flat)) {
    if (ts.isObjectLiteralExpression(arg)) continue; // options: { ttl }
    const name = outputName(arg);
    if (name === undefined) closed = false;
    else types.set(name, plain(arg) ? input.types.get(name) : undefined);
  }
  return { types, closed };
}

const flat = (arg: ts.Expression): ts.Expression[] => {
  const node = bare(arg);
  return ts.isArrayLiteralExpression(node) ? node.elements.flatMap((each) => flat(each as ts.Expression)) : [node];
};

/** A column as it is. */
const plain = (arg: ts.Expression): boolean =>
  textOf(arg) !== undefined ||
  (ts.isCallExpression(arg) &&
    /^\w+\.col\(/.test(arg.getText()) &&
    textOf(arg.arguments[0]) !== undefined &&
    arg.arguments.length === 1);

const joined = (a: Columns, b: Columns): Columns => ({
  types: new Map([...a.types, ...b.types]),
  closed: a.closed && b.closed,
});

/** Both sides of a join: also the names that columns of the right get where theirs are taken, so more than there are. */
function beside(left: Columns, right: Columns, options: ts.Expression | undefined): Columns {
  const given = propertiesOf(options);
  const suffix = given?.has("suffix") ? textOf(given.get("suffix")) : "_right";
  const both = joined(left, right);
  if (suffix === undefined || given === undefined) return opened(both);
  return joined(both, {
    types: new Map([...right.types].map(([name, type]) => [`${name}${suffix}`, type])),
    closed: true,
  });
}

const opened = (columns: Columns): Columns => ({ ...columns, closed: false });

const namedOnly = (names: readonly string[]): Columns => ({
  types: new Map(names.map((name) => [name, undefined])),
  closed: true,
});

const pick = (input: Columns, names: readonly string[]): Columns => ({
  types: new Map(names.map((name) => [name, input.types.get(name)])),
  closed: true,
});

/** `topic("t", { key: "device", schema: { … } })` */
function schemaOf({ arguments: args }: ts.CallExpression): Columns {
  const options = propertiesOf(args[1]);
  if (options === undefined) return OPEN;
  const schema = schemaColumns(options.get("schema"));
  const key = options.has("key") ? textOf(options.get("key")) : null;
  if (key === undefined) return opened(schema);
  return key === null || schema.types.has(key)
    ? schema
    : joined(schema, { types: new Map([[key, "Utf8"]]), closed: true });
}

function schemaColumns(node: ts.Expression | undefined): Columns {
  const properties = propertiesOf(node);
  if (properties === undefined) return OPEN;
  return { types: new Map([...properties].map(([name, dtype]) => [name, textOf(dtype)])), closed: true };
}
