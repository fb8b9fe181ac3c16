import { Refusal } from "../../error.ts";
import { sharedId } from "../../operators/own-sources.ts";
import { compile, type Program, type ProgramSource } from "../../operators/program.ts";
import { inOwnOrders } from "../../operators/reading-order.ts";
import { type PlanNode, sourcesOf } from "../../plan/nodes/plan-node.ts";
import type { SinkNode } from "../../plan/nodes/sink-node.ts";
import { type TerminalNode, terminalId } from "../../plan/nodes/terminal-node.ts";
import type { ToParquetNode } from "../../plan/nodes/to-parquet-node.ts";
import type { ToTableNode } from "../../plan/nodes/to-table-node.ts";
import type { Schema } from "../../schema.ts";
import type { StoreSpec } from "../../state/store.ts";
import { describeSource, KeyPlacement, rowsSchema, SourceReader } from "../source/index.ts";
import { FILES_STORE } from "./partition-files.ts";
import { PLACED_STORE } from "./placed-store.ts";
import { READ_STORE } from "./read-store.ts";

/** A program with what a job adds to it: readers of frozen schemas, and which stores outlive the process. */
export interface JobPlan {
  readonly program: Program;
  readonly sinks: ReadonlyMap<string /* terminal */, SinkNode>;
  /** Tables are state: their rows are kept by the program itself. */
  readonly tables: ReadonlyMap<string /* terminal */, ToTableNode>;
  readonly files: ReadonlyMap<string /* terminal */, ToParquetNode>;
  readonly inputs: readonly { readonly source: ProgramSource; readonly reader: SourceReader }[];
  /** Of all partitions that the process works on. */
  readonly placement: KeyPlacement;
  /** Stores kept in DuckDB and changelogs. None for a plan without keyed state: its watermark alone decides nothing. */
  readonly stores: readonly StoreSpec[];
  /** Several topics, or rows that tasks send each other, are read in one order. */
  readonly ordered: boolean;
  /** Fingerprints of earlier plans of the job whose state this one goes on from. */
  readonly goesOnFrom?: ReadonlySet<string>;
}

/** @throws {Refusal} `NO_SINK`, `NO_SCHEMA`, and whatever has no exact streaming meaning */
export function planJob(declared: readonly TerminalNode[], schemas: Readonly<Record<string, Schema>>): JobPlan {
  if (declared.length === 0) {
    throw new Refusal({
      code: "NO_SINK",
      what: "The job has no sink, so it would do nothing.",
      remedies: ['end a frame in .to("topic"), .toTable("name") or .toParquet("folder")'],
    });
  }
  const wire = new Map<string, Schema>();
  const given = new Map<string, Schema>();
  for (const node of sourcesOf(declared)) {
    const schema = node.schema ?? schemas[node.id] ?? schemas[node.topics.join(",")] ?? schemas[node.pattern ?? ""];
    if (schema === undefined) {
      throw new Refusal({
        code: "NO_SCHEMA",
        what: `The job has no frozen schema for ${describeSource(node)}, and a job never infers one.`,
        remedies: ["promote the notebook again", "or give the schema: topic(name, { schema: { … } })"],
      });
    }
    wire.set(node.id, schema);
    given.set(node.id, rowsSchema(node, schema));
  }
  const { terminals, schemas: rows } = inOwnOrders(declared, given);
  const sinks = terminals.filter((node) => node.kind === "sink");
  refuseOwnOutput(terminals, sinks);
  const program = compile(terminals, rows, { carriesHeaders: true });
  const keyed = program.stores.some((store) => store.name !== "watermark");
  const ordered =
    program.repartitions.length > 0 ||
    program.groups.some(({ inputs }) => inputs.length > 1) ||
    (keyed && program.sources.some(({ node }) => node.pattern !== undefined || node.topics.length > 1));
  const kept = [
    ...(program.repartitions.length > 0 ? [PLACED_STORE] : []),
    ...(ordered && readTwice(program) ? [READ_STORE] : []),
    ...(terminals.some((node) => node.kind === "toParquet") ? [FILES_STORE] : []),
  ];
  return {
    program,
    sinks: new Map(sinks.map((node) => [node.id, node])),
    tables: new Map(terminals.filter((node) => node.kind === "toTable").map((node) => [terminalId(node), node])),
    files: new Map(terminals.filter((node) => node.kind === "toParquet").map((node) => [terminalId(node), node])),
    inputs: program.sources.map((source) => ({
      source,
      reader: new SourceReader(source, wire.get(sharedId(source.id)) as Schema),
    })),
    placement: new KeyPlacement(program),
    stores: kept.length > 0 ? [...program.stores, ...kept] : keyed ? program.stores : [],
    ordered,
  };
}

/** Whether several sources may read one topic. */
function readTwice({ sources }: Program): boolean {
  const topics = sources.flatMap(({ node }) => node.topics);
  const patterns = sources.some(({ node }) => node.pattern !== undefined);
  return new Set(topics).size < topics.length || (patterns && sources.length > 1);
}

/** A job that read what it writes would never end. */
function refuseOwnOutput(terminals: readonly PlanNode[], sinks: readonly SinkNode[]): void {
  for (const { topics, pattern } of sourcesOf(terminals)) {
    const reads =
      pattern === undefined
        ? (topic: string) => topics.includes(topic)
        : (topic: string) => new RegExp(pattern).test(topic);
    const own = sinks.find(({ topic }) => reads(topic));
    if (own === undefined) continue;
    throw new Refusal({
      code: "READS_OWN_OUTPUT",
      what: `The job writes to ${own.topic} and reads it too${pattern === undefined ? "" : ` (it matches ${pattern})`}: every row would come back.`,
      where: `.to("${own.topic}")`,
      remedies: ["write to a topic of another name", "or make the pattern narrower"],
    });
  }
}
