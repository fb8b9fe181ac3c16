// Executes the kept cells of a notebook and computes what its sinks would write, in notebook mode. A process of its own: cells take over
// the console and the working directory. Arguments: the files of the request and of the answer.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type pl from "nodejs-polars";
import { MillraceError } from "../../lib/error.ts";
import { declaredTerminals, type Position } from "../../lib/frame/driver.ts";
import { declaredParams, setParamSource } from "../../lib/frame/param.ts";
import { Cluster, kafkaConfigFromEnv } from "../../lib/log/index.ts";
import { compile } from "../../lib/operators/program.ts";
import { explain } from "../../lib/plan/explain.ts";
import { type PlanNode, sourcesOf, withInputs } from "../../lib/plan/nodes/plan-node.ts";
import type { SinkNode } from "../../lib/plan/nodes/sink-node.ts";
import type { SourceNode } from "../../lib/plan/nodes/source-node.ts";
import { outputName, type TerminalNode } from "../../lib/plan/nodes/terminal-node.ts";
import { AmountTeller } from "../../lib/run/amount-done.ts";
import { samplesFile, writeSamples } from "../../lib/run/job/samples.ts";
import { readBounded } from "../../lib/run/notebook/read-bounded.ts";
import { sampleSchema } from "../../lib/run/notebook/sample-schema.ts";
import { Session } from "../../lib/run/notebook/session.ts";
import type { ShownDigest } from "../../lib/run/replay/shown-digest.ts";
import { settledRows } from "../../lib/run/sink/settled-rows.ts";
import { tableLines } from "../../lib/run/sink/table-lines.ts";
import { rowsSchema } from "../../lib/run/source/source-schema.ts";
import type { Schema } from "../../lib/schema.ts";
import { fetchRanges, heldRanges } from "./fetch-ranges.ts";
import { cellOf, importFromFolder, stackOf } from "./notebook-module.ts";
import type { NotebookAnswer, NotebookRequest } from "./notebook-request.ts";
import { noteOpenedFiles } from "./opened-files.ts";
import type { Ranges } from "./recorded.ts";
import { linesDigest, sameRanges } from "./shown.ts";
import { sinkLines } from "./sink-lines.ts";
import "../../lib/index.ts";

const [requestFile, answerFile] = process.argv.slice(2) as [string, string];
const request = JSON.parse(await readFile(requestFile, "utf8")) as NotebookRequest;

let cluster: Promise<Cluster> | undefined;
const kafka = () => (cluster ??= Cluster.connect({ connectTimeout: 3000, ...kafkaConfigFromEnv() }));

try {
  await writeFile(answerFile, JSON.stringify(await answer()));
  process.exitCode = 0;
} catch (error) {
  process.exitCode = 1;
  const text = error instanceof MillraceError ? error.message : String((error as Error).stack ?? error);
  await writeFile(answerFile, JSON.stringify({ error: text }));
}
process.exit();

async function answer(): Promise<NotebookAnswer> {
  const opened = noteOpenedFiles(request.code);
  await executeCells((url) => opened.note(url));
  const terminals = declaredTerminals();
  const { schemas, unknown } = await sourceSchemas(sourcesOf(terminals));
  const program = {
    terminals,
    parameters: declaredParams(),
    schemas,
    unknown,
    explained: terminals.map((terminal) => explain(terminal)).join("\n\n"),
  };
  if (Object.keys(unknown).length > 0)
    return {
      ...program,
      opened: opened.files(),
      fingerprint: "",
      recorded: { nothing: "a schema is not known" },
    };
  const frozen = terminals.map((terminal) => withSchemas(terminal, schemas) as TerminalNode);
  const rows = sourcesOf(terminals).map(
    (source) => [source.id, rowsSchema(source, schemas[sourceName(source)]!)] as const,
  );
  const { fingerprint } = compile(terminals, new Map(rows));
  const recorded = await record(frozen); // code in the plan may open files, too
  return { ...program, opened: opened.files(), fingerprint, recorded };
}

async function executeCells(loaded: (url: string) => void): Promise<void> {
  // the parameters' defaults, whatever this environment says
  setParamSource(() => undefined);
  process.chdir(request.folder);
  try {
    await importFromFolder(request.code, request.folder, loaded);
  } catch (error) {
    const cell = cellOf(error, request.code);
    throw new MillraceError({
      code: "CELL_FAILED",
      what: `${cell === undefined ? "The notebook" : `Cell ${cell}`}, reduced to what the job needs, throws:\n${error instanceof MillraceError ? error.message : stackOf(error)}`,
      remedies: [
        "run the notebook from top to bottom and correct the cell",
        "tag a cell keep whose effect the job needs",
      ],
    });
  }
}

/** How a job names a source: its topics, or its pattern. */
function sourceName(source: SourceNode): string {
  return source.pattern ?? source.topics.join(",");
}

/** The program's own schema wins; then what the notebook read; then a sample of the topic; then what an earlier promotion knew. */
async function sourceSchemas(sources: readonly SourceNode[]) {
  const schemas: Record<string, Schema> = {};
  const unknown: Record<string, string> = {};
  for (const source of sources) {
    const name = sourceName(source);
    const read = Object.keys(request.schemas).find((topic) => source.topics.includes(topic) || matches(source, topic));
    const schema = source.schema ?? (read === undefined ? undefined : request.schemas[read]);
    if (schema !== undefined) schemas[name] = schema;
    else {
      try {
        schemas[name] = await sampleSchema(await kafka(), source);
      } catch (error) {
        if (request.fallback[name] !== undefined) schemas[name] = request.fallback[name];
        else unknown[name] = (error as MillraceError).what ?? String(error);
      }
    }
  }
  return { schemas, unknown };
}

function matches(source: SourceNode, topic: string): boolean {
  return source.pattern !== undefined && new RegExp(source.pattern).test(topic);
}

/** The plan with the schema of every source put in: what a job runs. */
function withSchemas(node: PlanNode, schemas: Readonly<Record<string, Schema>>): PlanNode {
  if (node.kind === "source") return { ...node, schema: schemas[sourceName(node)]! };
  return withInputs(node, (input) => withSchemas(input, schemas));
}

async function record(terminals: readonly TerminalNode[]): Promise<NotebookAnswer["recorded"]> {
  const sources = sourcesOf(terminals);
  const wanted = Object.entries(request.ranges ?? {}).filter(([topic]) =>
    sources.some((source) => source.topics.includes(topic) || matches(source, topic)),
  );
  const missing = sources
    .flatMap((source) => source.topics)
    .filter((topic) => !wanted.some(([name]) => name === topic));
  if (wanted.length === 0 || missing.length > 0) {
    return {
      nothing: `the notebook's journal knows of no read${missing.length > 0 ? ` of ${missing.join(", ")}` : ""}`,
    };
  }
  const samples: Record<string, { ranges: Ranges[string]; records: number }> = {};
  const rates: Record<string, number> = {};
  try {
    const client = await kafka();
    const ranges: Record<string, Ranges[string]> = {};
    for (const [topic, asked] of wanted) {
      ranges[topic] = await heldRanges(client, topic, asked);
      const fetched = await fetchRanges(client, topic, ranges[topic]);
      const records = fetched.reduce((sum, { columns }) => sum + columns.count, 0);
      if (records === 0) return { nothing: `${topic} no longer holds the records the notebook read` };
      await writeSamples(path.join(request.samples, samplesFile(topic)), fetched);
      samples[topic] = { ranges: ranges[topic], records };
      const times = fetched.flatMap(({ columns }) => [...columns.timestamps]);
      const span = times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b));
      if (span > 0) rates[topic] = (records * 1000) / span;
    }
    const end = (at: 0 | 1) =>
      Object.fromEntries(
        Object.entries(ranges).map(([topic, partitions]) => [
          topic,
          Object.fromEntries(Object.entries(partitions).map(([partition, range]) => [partition, range[at]])),
        ]),
      );
    const expected: Record<string, string> = {};
    for (const terminal of terminals) {
      const name = outputName(terminal);
      const [from, until] = [end(0), end(1)].map((offsets) => ofTopics(offsets, sourcesOf([terminal])));
      expected[name] = (expected[name] ?? "") + (await rowsOf(terminal, from!, until!));
    }
    return { samples, rates, expected, shown: await shownAgain(client, terminals) };
  } catch (error) {
    return {
      nothing: `the records could not be read from Kafka (${((error as MillraceError).what ?? String(error)).split("\n")[0]})`,
    };
  }
}

/** What the sinks write of the records that cells showed rows of. */
async function shownAgain(client: Cluster, terminals: readonly TerminalNode[]): Promise<(ShownDigest | null)[]> {
  const digests: (ShownDigest | null)[] = [];
  for (const { topic, ranges } of request.shown ?? []) {
    const sinks = terminals.filter(
      (terminal): terminal is SinkNode => terminal.kind === "sink" && terminal.topic === topic,
    );
    const sources = sourcesOf(sinks);
    const [from, until]: [Record<string, Record<string, number>>, Record<string, Record<string, number>>] = [{}, {}];
    let held = sinks.length === 1 && sources.every(({ pattern }) => pattern === undefined);
    for (const name of held ? sources.flatMap(({ topics }) => topics) : []) {
      const asked = ranges[name] ?? {};
      const there = await heldRanges(client, name, asked);
      held &&= sameRanges(asked, there);
      from[name] = Object.fromEntries(Object.entries(there).map(([partition, [start]]) => [partition, start]));
      until[name] = Object.fromEntries(Object.entries(there).map(([partition, [, end]]) => [partition, end]));
    }
    digests.push(held ? linesDigest(await rowsOf(sinks[0]!, from, until)) : null);
  }
  return digests;
}

/** Of these positions those that a terminal reads: others belong to other sinks. */
function ofTopics<T>(offsets: Readonly<Record<string, T>>, sources: readonly SourceNode[]): Record<string, T> {
  const isRead = (topic: string) => sources.some((source) => source.topics.includes(topic) || matches(source, topic));
  return Object.fromEntries(Object.entries(offsets).filter(([topic]) => isRead(topic)));
}

/** What the sink would write over a range, or the table would hold, as the notebook's own reader computes it. */
async function rowsOf(terminal: TerminalNode, from: Position, until: Position): Promise<string> {
  const byTask = new Map<string, pl.DataFrame[]>();
  let amount: AmountTeller | undefined;
  await readBounded(new Session(), terminal, { from, until, shows: false, what: "recording" }, (answers, reader) => {
    const { total, lag } = reader.counts;
    amount ??= new AmountTeller(`computing the rows of ${outputName(terminal)}`, total);
    amount.update(total - lag);
    for (const { task, rows } of answers) byTask.set(task, [...(byTask.get(task) ?? []), rows]);
  });
  const frames = [...byTask.keys()]
    .sort(new Intl.Collator("en", { numeric: true }).compare) // partition 10 after partition 2
    .flatMap((task) => byTask.get(task)!);
  if (terminal.kind !== "sink") return tableLines(terminal, frames);
  return settledRows(terminal, frames)
    .map((rows) => sinkLines(rows, terminal))
    .join("");
}
