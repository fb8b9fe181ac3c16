import { describePlan, type NodeWithStores, type PlanDescription } from "../plan/describe.ts";
import { fingerprint } from "../plan/fingerprint.ts";
import { isMetadata } from "../plan/metadata.ts";
import { INPUTS, type PlanNode } from "../plan/nodes/plan-node.ts";
import type { RepartitionNode } from "../plan/nodes/repartition-node.ts";
import { type SourceNode, timeColumns } from "../plan/nodes/source-node.ts";
import { isTerminal, terminalId } from "../plan/nodes/terminal-node.ts";
import type { Schema } from "../schema.ts";
import type { OpenStore, StoreSpec } from "../state/store.ts";
import { type Compiled, type CompiledRepartition, NodeCompiler, pick, type Step } from "./compile.ts";
import { type InputGroup, inputGroups } from "./input-group.ts";
import { readFirst } from "./join-compile.ts";
import { openTask } from "./program-task.ts";
import type { Task } from "./task.ts";
import { WATERMARK_STORE } from "./watermarks.ts";

/** What a program reads from one source. */
export interface ProgramSource {
  readonly id: string;
  readonly node: SourceNode;
  readonly schema: Schema;
  /** The columns of `schema` that the program uses, in schema order. A value that does not fit one of them makes the record bad. */
  readonly columns: readonly string[];
  /** Whether frames must carry `_headers`. */
  readonly needsHeaders: boolean;
  /**
   * After this many ms of the wall clock without a record, a partition no longer holds back rows of others where rows are placed anew: as the
   * topic says, else as windows say that are over such rows.
   */
  readonly idle?: number;
}

/** Where rows come into a task. */
export interface ProgramInput {
  readonly id: string;
  /** Of its node. */
  readonly key: string;
  /** The value columns that the program uses. */
  readonly columns: readonly string[];
  /** Columns and dtypes of a batch, metadata included. */
  readonly frame: Schema;
}

/**
 * Rows that a task sends on to tasks of other partitions: the rows of the terminal `id`, with `_place`, `_order` and `_watermark`; and that
 * come back as batches of the source `id`, merged by `_order`, ties by the partition that sent them.
 */
export interface ProgramRepartition {
  readonly id: string;
  /** Readable, and stable for the same plan. */
  readonly name: string;
  readonly node: RepartitionNode;
  /** Of the rows that come back, metadata included. */
  readonly schema: Schema;
  /** The inputs that rows to be sent come from. */
  readonly from: readonly string[];
}

/** What a program makes: the rows of one sink or view. */
export interface ProgramTerminal {
  /** {@link terminalId}; `view`, `view-2`, … for the others. */
  readonly id: string;
  readonly node: PlanNode;
  /** Of the rows, metadata columns included. */
  readonly schema: Schema;
}

/** A plan, compiled: the same object for notebook and job. */
export interface Program {
  readonly sources: readonly ProgramSource[];
  readonly terminals: readonly ProgramTerminal[];
  /** Where rows are placed anew; each depends on earlier ones only. */
  readonly repartitions: readonly ProgramRepartition[];
  /** Which sources and repartitions are read together, in one order; each input is in one of these. */
  readonly groups: readonly InputGroup[];
  readonly stores: readonly StoreSpec[];
  readonly fingerprint: string;
  /** The plan as JSON data, to be kept beside state and compared with another by `planDiff`. */
  readonly description: PlanDescription;
  /**
   * Opens the state of one partition and goes on from it.
   * @param now the wall clock, ms since the epoch; the machine's where nothing is said
   */
  open(openStore: OpenStore, now?: () => number): Promise<Task>;
}

export interface CompileOptions {
  /**
   * Rows of several inputs, or placed anew, bring the headers of their records along as `_headers`. (Others are found by their offset, at no
   * cost to rows.)
   */
  readonly carriesHeaders?: boolean;
}

/**
 * Compiles plans that run together; what they share is computed once.
 * @param schemas the schema of each source, by the source node's id
 * @throws Refusal for what has no exact streaming meaning
 */
export function compile(
  terminals: readonly PlanNode[],
  schemas: ReadonlyMap<string, Schema>,
  options: CompileOptions = {},
): Program {
  const compiler = new NodeCompiler(schemas);
  const ends = new Map<string, { id: string; compiled: Compiled }>();
  let views = 0;
  for (const node of readFirst(terminals)) compiler.compile(node);
  for (const node of terminals) {
    const compiled = compiler.compile(node);
    const id = isTerminal(node) ? terminalId(node) : view(++views);
    ends.set(id, { id, compiled });
  }
  const outputs = [...ends.values()];
  const nodes = compiler.compiled;
  const used = usedColumns(
    outputs.map(({ compiled }) => compiled),
    nodes,
    new Map(compiler.repartitions.map(({ back, send }) => [back.key, send.key])),
    options.carriesHeaders === true && nodes.filter(({ inputs }) => inputs.length === 0).length > 1,
  );
  const topics = nodes
    .filter(({ node }) => node.kind === "source")
    .map((compiled): ProgramSource & ProgramInput => {
      const node = compiled.node as SourceNode;
      const schema = schemas.get(node.id)!;
      const wanted = used.get(compiled.key)!;
      const ofTime = timeColumns(node);
      const columns = Object.keys(schema).filter(
        (column) => wanted.has(column) || ofTime === "all" || ofTime.has(column),
      );
      const needsHeaders = wanted.has("_headers");
      const metadata = ["_key", "_time", "_partition", "_offset", ...(needsHeaders ? ["_headers"] : [])];
      const idle = idleOf(node, nodes, compiler.repartitions);
      if (node.tombstones) metadata.push("_delete");
      const frame = pick(compiled.schema, [...columns, ...metadata]);
      return { id: node.id, node, schema, columns, needsHeaders, ...idle, key: compiled.key, frame };
    });
  const sources = topics.map(({ key: _, frame: __, ...source }) => source);
  const placed = compiler.repartitions.map(({ name, node, send, back }) => {
    const wanted = used.get(back.key)!;
    const names = Object.keys(back.schema).filter((column) => wanted.has(column) || SENT.includes(column));
    const schema: Schema = { ...pick(back.schema, names), _watermark: "Int64", _order: "Int64" };
    const columns = names.filter((column) => !isMetadata(column));
    const from = send.sources.map(({ id }) => id);
    return { id: node.id, name, node, schema, from, key: back.key, columns, frame: schema, send };
  });
  const inputs = [...topics, ...placed];
  const groups = inputGroups(nodes);
  const sends = compiler.repartitions.map(({ send }) => send.key);
  const stores = [WATERMARK_STORE, ...nodes.flatMap(({ steps }) => steps.flatMap(storesOf))];
  return {
    sources,
    terminals: outputs.map(({ id, compiled }) => ({
      id,
      node: compiled.node,
      schema: terminalSchema(compiled, sources),
    })),
    repartitions: placed.map(({ id, name, node, schema, from }) => ({ id, name, node, schema, from })),
    groups,
    stores,
    fingerprint: fingerprint(terminals, schemas),
    description: describePlan(
      nodes
        .filter(({ key }) => !sends.includes(key))
        .map(({ node, key, inputs, steps }) => ({
          node,
          key,
          inputs: compiler.repartitions.find(({ back }) => back.key === key)?.send.inputs ?? inputs,
          stores: steps.flatMap(describedStores),
        })),
      schemas,
    ),
    open: (openStore, now = Date.now) => openTask({ nodes, outputs, inputs, groups, sends: placed }, openStore, now),
  };
}

/** How long a source is waited for: by its own word, else by that of windows over rows of it that were placed anew. */
function idleOf(
  source: SourceNode,
  nodes: readonly Compiled[],
  repartitions: readonly CompiledRepartition[],
): Pick<ProgramSource, "idle"> {
  if (source.idle !== undefined) return { idle: source.idle };
  const behind = (id: string): readonly string[] => {
    const own = repartitions.find(({ node }) => node.id === id);
    return own === undefined ? [id] : own.send.sources.flatMap((input) => behind(input.id));
  };
  const said = nodes.flatMap(({ node, sources }) =>
    "idle" in node &&
    node.idle !== undefined &&
    node.kind !== "source" &&
    sources.some(({ kind, id }) => kind === "keyBy" && behind(id).includes(source.id))
      ? [node.idle]
      : [],
  );
  return said.length === 0 ? {} : { idle: Math.min(...said) };
}

const view = (n: number): string => (n === 1 ? "view" : `view-${n}`);

function storesOf(step: Step): readonly StoreSpec[] {
  return "operator" in step ? step.operator.stores : "join" in step ? step.join.stores : [];
}

function describedStores(step: Step): NodeWithStores["stores"] {
  const keeps = "operator" in step ? step.operator.keeps : undefined;
  return storesOf(step).map((store) => ({ ...store, ...(keeps && { keeps }) }));
}

/** Metadata that goes along where rows are placed anew. */
const SENT = ["_key", "_time", "_partition", "_offset"];

/** `_headers` are there only where they were asked for. */
function terminalSchema(compiled: Compiled, sources: readonly ProgramSource[]): Schema {
  const ids = compiled.sources.map(({ id }) => id);
  const headers = sources.some((source) => source.needsHeaders && ids.includes(source.id));
  return pick(
    compiled.schema,
    Object.keys(compiled.schema).filter((column) => headers || column !== "_headers"),
  );
}

/** Which columns each node has to give, by its key: found from the terminals inward. */
function usedColumns(
  outputs: readonly Compiled[],
  nodes: readonly Compiled[],
  sends: ReadonlyMap<string, string>,
  carriesHeaders: boolean,
): Map<string, Set<string>> {
  const used = new Map(nodes.map((node) => [node.key, new Set<string>()]));
  for (const output of outputs)
    for (const column of Object.keys(output.schema))
      if (column !== "_headers" || carriesHeaders) used.get(output.key)!.add(column);
  for (const node of [...nodes].reverse()) {
    const own = used.get(node.key)!;
    for (const [i, input] of node.inputs.entries()) {
      const columns = used.get(input.key)!;
      for (const column of node.used(own, i))
        if (column !== "_headers" || own.has(column) || refersToHeaders(node)) columns.add(column);
    }
    const send = used.get(sends.get(node.key) ?? "");
    for (const column of own) send?.add(column);
  }
  return used;
}

function refersToHeaders({ node }: Compiled): boolean {
  const own = Object.entries(node).filter(([name]) => !INPUTS.includes(name));
  return JSON.stringify(own).includes('"_headers"');
}
