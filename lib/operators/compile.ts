import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { planKey } from "../plan/content-key.ts";
import { keysOf } from "../plan/keys-of.ts";
import { isMetadata } from "../plan/metadata.ts";
import { inputsOf, nodesOf, type PlanNode } from "../plan/nodes/plan-node.ts";
import { type RepartitionNode, repartitionNode } from "../plan/nodes/repartition-node.ts";
import type { SinkNode } from "../plan/nodes/sink-node.ts";
import type { SourceNode } from "../plan/nodes/source-node.ts";
import { terminalId } from "../plan/nodes/terminal-node.ts";
import { print } from "../plan/print.ts";
import { colTree, columnsOf, type ExprTree, withoutAlias } from "../plan/tree.ts";
import { emptyFrame, type Schema, schemaOf } from "../schema.ts";
import { type CompiledExprs, compileExprs, validInPolars } from "./compile-exprs.ts";
import { compileExplode } from "./explode.ts";
import { columns } from "./exprs.ts";
import { groupPlan } from "./group-plan.ts";
import { compileMeeting, inReadingOrder, placedSides } from "./join-compile.ts";
import { planStage, preparing } from "./keyed-stage.ts";
import { compileLate } from "./late.ts";
import { checkCoPartitioned, coPartitioned, type Lineage, lineageAfter, nameOf, sourceLineage } from "./lineage.ts";
import { checkTtl } from "./lives.ts";
import { compileMap } from "./map.ts";
import type { ConcatRows, JoinPlan, OperatorPlan } from "./operator.ts";
import { compilePredict } from "./predict.ts";
import { processPlan } from "./process-plan.ts";
import { compileRepartition } from "./repartition.ts";
import { lastPerKey } from "./row-before.ts";
import { adding, filtering, leavingOut, type RowQuery, renaming, selecting } from "./row-query.ts";
import { rowsPerKey } from "./rows-per-key.ts";
import { namesPerStage, stageContents } from "./stage-content.ts";
import { compileToParquet } from "./to-parquet.ts";
import { compileToTable } from "./to-table.ts";
import { uniquePlan } from "./unique-plan.ts";
import { compileUnnest } from "./unnest.ts";
import { WATERMARK_STORE } from "./watermarks.ts";
import { compileWindows } from "./windows.ts";

/** What is done to rows: an operator with state, or a query that Polars can join with the next. */
export type Step =
  | { readonly operator: OperatorPlan }
  /** The first step of a node with two inputs. */
  | { readonly join: JoinPlan }
  /** The first step of a node with two inputs or more. */
  | { readonly concat: ConcatRows }
  | RowQuery;

/** A plan node, compiled: what is done to its input's rows, and what is known of the rows it gives. */
export interface Compiled {
  readonly key: string;
  readonly node: PlanNode;
  /** None for a source. */
  readonly inputs: readonly Compiled[];
  /** The sources that its rows come from, in the order of reading. */
  readonly sources: readonly InputNode[];
  readonly steps: readonly Step[];
  readonly schema: Schema;
  readonly lineage: Lineage;
  /** After a window or group, rows are no longer those of records. */
  readonly windowed: boolean;
  /** Rows replace earlier ones of the same key: how many there are depends on how records fall into batches, the last ones do not. */
  readonly updating: boolean;
  /**
   * How far its rows may lag behind the task's watermark when they are released, in ms: a window over them closes when
   * `watermark - delay` reaches its end and grace. Windows add their grace.
   */
  readonly delay: number;
  /** How far behind it the first of them may come: all rows of windows lag alike, of those of a join some wait for partners and others do not. */
  readonly leastDelay: number;
  /** Works with `_watermark`. */
  readonly watermark?: boolean;
  /** Which columns of an input are used, given which of its own are; metadata included. */
  used(columns: ReadonlySet<string>, input: number): Set<string>;
}

/** Where rows come into a program: a topic, or a topic of its own in which it placed them anew. */
export type InputNode = SourceNode | RepartitionNode;

/** Rows placed anew, compiled: the end of one part of the program and the beginning of another. */
export interface CompiledRepartition {
  /** Readable, stable for the same plan, and different for each of the program. */
  readonly name: string;
  readonly node: RepartitionNode;
  readonly send: Compiled;
  readonly back: Compiled;
}

/** Names of state that programs have whatever they do: watermarks, rows placed anew, how far sources were read, and files. */
export const RESERVED: readonly string[] = [WATERMARK_STORE.name, "placed", "read", "parquet"];

const METADATA_SCHEMA: Schema = { _key: "Utf8", _time: "Datetime(ms)", _partition: "Int32", _offset: "Int64" };

/** Compiles nodes, each once however many terminals share it, and names their stores. */
export class NodeCompiler {
  readonly #schemas: ReadonlyMap<string, Schema>;
  readonly #compiled = new Map<string, Compiled>();
  readonly #stores = new Set(RESERVED);
  readonly #topics = new Set<string>();
  readonly #repartitions: CompiledRepartition[] = [];

  constructor(schemas: ReadonlyMap<string, Schema>) {
    this.#schemas = schemas;
  }

  /** Inputs before the nodes that use them. */
  get compiled(): readonly Compiled[] {
    return [...this.#compiled.values()];
  }

  /** Where rows are placed anew: both halves, see {@link compileRepartition}. */
  get repartitions(): readonly CompiledRepartition[] {
    return this.#repartitions;
  }

  compile(node: PlanNode): Compiled {
    const key = planKey(node);
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      compiled = this.#node(node, key);
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }

  /**
   * The input with rows of equal keys in one partition: as it is where that is so, else placed anew.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING` for rows that are updates
   */
  placed(input: Compiled, keys: readonly ExprTree[], verb: string): Compiled {
    if (coPartitioned(keys, input.lineage)) return input;
    refuseUpdates(input, verb, MANY_TIMES);
    return this.compile(repartitionNode({ input: input.node, keys: keys.map(withoutAlias), named: false }));
  }

  #node(node: PlanNode, key: string): Compiled {
    if (node.kind === "source") return this.#source(node, key);
    for (const input of inReadingOrder(node)) this.compile(input);
    const inputs = inputsOf(node).map((input) => this.compile(input));
    if (node.kind === "keyBy") return this.#repartition(node, key, inputs[0]!);
    if (inputs.length === 1) inputs[0] = this.#forKeys(node, inputs[0]!);
    const sides = placedSides(
      node,
      inputs,
      (input, keys) => this.placed(input, keys, node.kind),
      (input) => this.compile(repartitionNode({ input: input.node, keys: [], named: false, everywhere: true })),
    );
    return this.#verb(node, key, sides);
  }

  #repartition(node: RepartitionNode, key: string, input: Compiled): Compiled {
    if (!node.everywhere) refuseUpdates(input, "keyBy", MANY_TIMES);
    const { send, back } = compileRepartition(node, key, input);
    this.#compiled.set(send.key, send);
    const names = node.keys.map((tree) => nameOf(tree).replace(/^§/, ""));
    const name = this.#named(
      node.everywhere ? "everywhere" : names.length === 0 ? "single" : `by_${names.join("_")}`,
      this.#topics,
    );
    this.#repartitions.push({ name, node, send, back });
    return back;
  }

  /** The input of a verb, placed so that it finds all rows of its keys. Where it has several states, by keys that all of them have. */
  #forKeys(node: PlanNode, input: Compiled): Compiled {
    const all = keysOf(node, input.schema);
    if (all.every((keys) => coPartitioned(keys, input.lineage))) return input;
    const [first = [], ...rest] = all;
    const common = first.filter((key) => rest.every((keys) => keys.some((other) => nameOf(other) === nameOf(key))));
    if (common.length === 0 && first.length > 0)
      throw new Refusal({
        code: "NEEDS_REPARTITION",
        what: `rows would have to be placed by several keys at once: ${all.map((keys) => keys.map(print).join(", ")).join("; ")}`,
        where: node.kind,
        remedies: ["compute them one after the other, each in a withColumns of its own"],
      });
    return this.placed(input, common, node.kind);
  }

  #source(node: SourceNode, key: string): Compiled {
    const schema = this.#schemas.get(node.id);
    if (schema === undefined)
      throw new Refusal({
        code: "NO_SCHEMA",
        what: `the schema of ${node.topics.join(", ") || node.pattern} is not known`,
        where: node.id,
      });
    return {
      key,
      node,
      inputs: [],
      sources: [node],
      steps: [],
      schema: {
        ...schema,
        ...METADATA_SCHEMA,
        _headers: "List(Struct{key:Utf8,value:Utf8})",
        ...(node.tombstones && { _delete: "Boolean" }),
      },
      lineage: sourceLineage(node),
      windowed: false,
      updating: false,
      delay: 0,
      leastDelay: 0,
      used: (columns) => new Set(columns),
    };
  }

  #verb(node: Exclude<PlanNode, SourceNode | RepartitionNode>, key: string, inputs: readonly Compiled[]): Compiled {
    const input = inputs[0]!;
    const base = {
      key,
      node,
      inputs,
      sources: [...new Set(inputs.flatMap(({ sources }) => sources))],
      windowed: inputs.some(({ windowed }) => windowed),
      updating: inputs.some(({ updating }) => updating),
      delay: Math.max(...inputs.map(({ delay }) => delay)),
      leastDelay: Math.min(...inputs.map(({ leastDelay }) => leastDelay)),
    };
    switch (node.kind) {
      case "select": {
        const made = this.#exprs(node.exprs, input, "select", node.ttl);
        const metadata = Object.keys(input.schema).filter(isMetadata);
        const values = made.names.flatMap((name, i) => (isMetadata(name) ? [] : [i]));
        const own = {
          exprs: values.map((i) => made.exprs[i]!),
          names: values.map((i) => made.names[i]!),
          trees: values.map((i) => made.rest[i]!),
          schema: made.schema,
        };
        return {
          ...base,
          watermark: node.ttl !== undefined,
          steps: [...made.steps, selecting(own, metadata)],
          schema: {
            ...Object.fromEntries(values.map((i) => [made.names[i]!, made.dtypes[i]!])),
            ...pick(input.schema, metadata),
          },
          lineage: lineageAfter(input.lineage, named(made), () => false),
          used: (columns) => new Set([...made.trees.flatMap(columnsOf), ...[...columns].filter(isMetadata)]),
        };
      }
      case "withColumns": {
        const made = this.#exprs(node.exprs, input, "withColumns", node.ttl);
        const produced = new Set(made.names);
        const temporary = made.stages.flatMap((stage) => stage.calls.map((call) => call.column));
        return {
          ...base,
          watermark: node.ttl !== undefined,
          steps: [...made.steps, adding({ ...made, trees: made.rest }, temporary)],
          schema: { ...input.schema, ...Object.fromEntries(made.names.map((name, i) => [name, made.dtypes[i]!])) },
          lineage: lineageAfter(input.lineage, named(made), () => true),
          used: (columns) =>
            new Set([...made.trees.flatMap(columnsOf), ...[...columns].filter((column) => !produced.has(column))]),
        };
      }
      case "filter": {
        refuseUpdates(input, "filter", "a row that no longer passes would leave its earlier state behind");
        const made = this.#exprs([node.predicate], input, "filter", node.ttl);
        if (made.dtypes[0] !== "Boolean")
          throw new Refusal({
            code: "NOT_A_CONDITION",
            what: `${print(node.predicate)} is ${made.dtypes[0]}, not true or false`,
            where: "filter",
            remedies: ["compare it: .gt(…), .eq(…), .isNotNull()"],
          });
        const temporary = made.stages.flatMap((stage) => stage.calls.map((call) => call.column));
        return {
          ...base,
          watermark: node.ttl !== undefined,
          steps: [...made.steps, filtering(made.exprs[0]!, made.rest[0]!, made.schema, temporary)],
          schema: input.schema,
          lineage: input.lineage,
          used: (columns) => new Set([...columns, ...made.trees.flatMap(columnsOf)]),
        };
      }
      case "rename":
        return { ...base, ...renameColumns(node.mapping, input) };
      case "drop": {
        const values = node.columns.filter((column) => !isMetadata(column));
        checkColumns(values, input.schema, "drop");
        const dropped = new Set(values);
        return {
          ...base,
          steps: [leavingOut(values)],
          schema: pick(
            input.schema,
            Object.keys(input.schema).filter((column) => !dropped.has(column)),
          ),
          lineage: lineageAfter(input.lineage, new Map(), (column) => !dropped.has(column)),
          used: (columns) => new Set(columns),
        };
      }
      case "explode":
        refuseUpdates(input, "explode", "a list that shrinks would leave its earlier items behind");
        return { ...base, ...compileExplode(node, input) };
      case "late":
        refuseUpdates(input, "late", MANY_TIMES);
        return { ...base, ...compileLate(node, input, (name) => this.storeName(name)) };
      case "map":
        if (node.many)
          refuseUpdates(input, "flatMap", "a row that gives fewer rows would leave its earlier ones behind");
        return { ...base, ...compileMap(node, input) };
      case "process":
        refuseUpdates(input, "process", MANY_TIMES);
        return { ...base, ...processPlan(node, input, (name) => this.storeName(name)) };
      case "predict":
        return { ...base, ...compilePredict(node, input) };
      case "unique":
        refuseUpdates(input, "unique", MANY_TIMES);
        return { ...base, ...uniquePlan(node, input, (name) => this.storeName(name)) };
      case "unnest":
        return { ...base, ...compileUnnest(node, input) };
      case "groupBy":
        refuseUpdates(input, "groupBy", MANY_TIMES);
        return { ...base, ...groupPlan(node, input, (name) => this.storeName(name)), windowed: true, updating: true };
      case "groupByDynamic":
      case "groupBySession":
      case "groupByCount":
      case "groupByRolling":
        refuseUpdates(input, node.kind, MANY_TIMES);
        return { ...base, ...compileWindows(node, input, (name) => this.storeName(name)) };
      case "sink":
        return { ...base, ...this.#sink(node, input) };
      case "toTable":
        return { ...base, ...compileToTable(node, input, (name) => this.#claim(name)) };
      case "toParquet":
        return { ...base, ...compileToParquet(node, input, () => this.#claim(terminalId(node))) };
      default:
        return { ...base, ...compileMeeting(node, inputs, (name) => this.storeName(name)) };
    }
  }

  #exprs(
    exprs: readonly ExprTree[],
    input: Compiled,
    verb: string,
    ttl?: number,
  ): CompiledExprs & { steps: Step[]; schema: Schema } {
    const made = compileExprs(exprs, input.schema, { verb, input: input.node });
    if (ttl !== undefined) checkTtl(made.stages, verb);
    const steps: Step[] = [];
    let empty = emptyFrame(input.schema);
    const contents = stageContents(made.stages);
    const namesOf = namesPerStage(made.stages, made.rest, made.names);
    for (const [i, stage] of made.stages.entries()) {
      refuseUpdates(input, `${verb}: ${stage.calls.map((call) => print(call.tree)).join(", ")}`, MANY_TIMES);
      checkCoPartitioned(stage.keys, input.lineage, `${verb}: .over(${stage.keys.map(print).join(", ")})`);
      const horizon = ttl === undefined ? undefined : { ttl, delay: input.delay };
      const plan = validInPolars(stage.calls, { verb, input: input.node }, () => planStage(stage, empty, horizon));
      const names = namesOf[i]!.slice(0, 3);
      const store = this.storeName(`${names.join("_") || verb}_by_${plan.storedKeys.join("_")}`);
      const operator = stage.kind === "last" ? lastPerKey(plan, store) : rowsPerKey(plan, store);
      steps.push(preparing(plan, schemaOf(empty)), { operator: { ...operator, keeps: contents[i]! } });
      empty = emptyFrame(plan.schema);
    }
    return { ...made, steps, schema: schemaOf(empty) };
  }

  #sink(node: SinkNode, input: Compiled): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
    const where = `to("${node.topic}")`;
    const metadata = Object.keys(input.schema).filter(isMetadata);
    const value = node.value ?? Object.keys(input.schema).filter((column) => !isMetadata(column));
    checkColumns([...value, ...(node.key === undefined ? [] : [node.key])], input.schema, where);
    if (value.length === 0)
      throw new Refusal({
        code: "EMPTY_VALUE",
        what: "no column is left to write",
        where,
        remedies: ["name columns in `value`"],
      });
    const written = [...new Set([...value, ...(node.key === undefined ? [] : [node.key])])].filter(
      (name) => !isMetadata(name),
    );
    const made = node.delete && this.#exprs([node.delete], input, "to");
    const tombstone = made ? [made.exprs[0]!.alias("_delete")] : [];
    return {
      steps: [
        ...(made?.steps ?? []),
        selecting(
          { exprs: columns(written), names: written, trees: written.map(colTree), schema: input.schema },
          metadata,
          tombstone,
        ),
      ],
      schema: { ...pick(input.schema, [...written, ...metadata]), ...(made && { _delete: "Boolean" }) },
      lineage: input.lineage,
      used: () => new Set([...written, ...metadata, ...(made?.trees.flatMap(columnsOf) ?? [])]),
    };
  }

  /** Readable, stable for the same plan, and different for every store of the program. */
  storeName(wanted: string): string {
    return this.#named(wanted, this.#stores);
  }

  /** Whether a store may have exactly this name, which then is taken. */
  #claim(name: string): boolean {
    const free = !this.#stores.has(name.toLowerCase());
    this.#stores.add(name.toLowerCase());
    return free;
  }

  #named(wanted: string, taken: Set<string>): string {
    const base = wanted
      .replace(/[^\p{L}\p{N}]+/gu, "_")
      .replace(/^_+|_+$/g, "")
      .slice(0, 60);
    let name = base;
    // SQL does not tell upper from lower case
    for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${base}_${i}`;
    taken.add(name.toLowerCase());
    return name;
  }
}

const MANY_TIMES = "how often a row is updated depends on how records fall into batches";

/** Only the last row per key of an updating frame is exact; what depends on the ones before is refused. */
function refuseUpdates({ updating, node }: Compiled, where: string, why: string): void {
  if (!updating) return;
  const windows = nodesOf([node]).some((part) => "emit" in part && part.emit === "update");
  throw new Refusal({
    code: "NO_EXACT_STREAMING_MEANING",
    what: `${where.split(":")[0]} over rows that are updates has no exact meaning on a stream: ${why}`,
    where,
    remedies: [
      ...(windows ? ['let windows give their row once, when they close: emit: "close"'] : []),
      "do it before the rows are grouped",
      "write the updates to a compacted topic, with tombstones for rows to leave out: .to(…, { key, delete: … })",
    ],
  });
}

function named(made: CompiledExprs): Map<string, ExprTree> {
  return new Map(made.names.map((name, i) => [name, made.trees[i]!]));
}

function renameColumns(
  mapping: Readonly<Record<string, string>>,
  input: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  checkColumns(Object.keys(mapping), input.schema, "rename");
  const name = (column: string): string => (Object.hasOwn(mapping, column) ? mapping[column]! : column);
  const names = Object.keys(input.schema).map(name);
  const clash = names.find((column, i) => names.indexOf(column) !== i);
  if (clash !== undefined)
    throw new Refusal({ code: "DUPLICATE_COLUMN", what: `two columns would be named "${clash}"`, where: "rename" });
  for (const [from, to] of Object.entries(mapping))
    if (isMetadata(from) || isMetadata(to))
      throw new Refusal({
        code: "METADATA_COLUMN",
        what: `"${from}" cannot become "${to}": metadata keeps its name`,
        where: "rename",
        remedies: [`add a column instead: withColumns(pl.col("${from}").alias("…"))`],
      });
  const back = new Map(Object.entries(mapping).map(([from, to]) => [to, from]));
  const made = new Map(
    Object.entries(mapping).map(([from, to]): [string, ExprTree] => [to, { kind: "col", name: from }]),
  );
  return {
    steps: [renaming(mapping)],
    schema: Object.fromEntries(Object.entries(input.schema).map(([column, dtype]) => [name(column), dtype])),
    lineage: lineageAfter(input.lineage, made, (column) => !Object.hasOwn(mapping, column)),
    used: (columns) => new Set([...columns].map((column) => back.get(column) ?? column)),
  };
}

export function pick(schema: Schema, names: readonly string[]): Schema {
  return Object.fromEntries(names.map((name) => [name, schema[name]!]));
}
