import { readFile } from "node:fs/promises";
import path from "node:path";
import { Refusal } from "../../lib/error.ts";
import { outputName } from "../../lib/plan/nodes/terminal-node.ts";
import type { ShownDigest } from "../../lib/run/replay/shown-digest.ts";
import { type Analysis, analyse } from "./analyse.ts";
import { withoutSecrets } from "./checks/literals.ts";
import { sinkProblems } from "./checks/sinks.ts";
import { emitMain } from "./emit-main.ts";
import { type Execution, executeNotebook } from "./execute-notebook.ts";
import { explain } from "./explain.ts";
import { composeYaml, DOCKERIGNORE, dockerfile, GITIGNORE } from "./job/docker.ts";
import { kubernetesFiles } from "./job/kubernetes.ts";
import { MAIN_TEST } from "./job/main-test.ts";
import { POSTINSTALL, packageJson } from "./job/package-json.ts";
import { pinnedPackages } from "./job/pinned.ts";
import { readme } from "./job/readme.ts";
import { vendoredMillrace } from "./job/vendor.ts";
import { drift, type EarlierPromotion, earlierPromotion, type JobFiles, MADE_BY, writeJob } from "./job-folder.ts";
import { measuredOf } from "./measured.ts";
import { withOpened } from "./modules.ts";
import { readNotebook, sha256 } from "./notebook.ts";
import type { NotebookAnswer } from "./notebook-request.ts";
import { withOnnxRuntime } from "./onnx-runtime.ts";
import { type Parameter, type ParameterValue, parametersSchema } from "./parameters.ts";
import { judge, type Problem, PromotionRefusal } from "./problem.ts";
import { type Ranges, recordedReads } from "./recorded.ts";
import { isOfSamples, linesDigest, type ShownRows, shownDiffers, shownRows } from "./shown.ts";
import { warmRanges } from "./warm-ranges.ts";

export interface PromoteOptions {
  readonly out: string;
  /** Of the job: group id and prefix of internal topics; the notebook's name by default. */
  readonly name?: string;
  /** Codes of rules that are overruled. */
  readonly allow?: readonly string[];
  /** The job begins with the state of what the notebook had read, and writes what comes after that. */
  readonly warm?: boolean;
  readonly progress?: (line: string) => void;
  /** Cancels: what was started is ended, and nothing is written. */
  readonly signal?: AbortSignal;
}

export interface Promotion {
  readonly folder: string;
  readonly name: string;
  readonly files: readonly string[];
  /** What is worth telling: nothing recorded, a notebook without a journal, rules overruled. */
  readonly notes: readonly string[];
}

/** A notebook becomes a job folder. Throws a {@link PromotionRefusal} with every reason against it. */
export async function promote(notebookFile: string, options: PromoteOptions): Promise<Promotion> {
  const folder = path.resolve(options.out);
  const earlier = await earlierPromotion(folder);
  const job = await makeJob(notebookFile, options);
  options.signal?.throwIfAborted();
  await writeJob(folder, job.files, earlier);
  return { folder, name: job.name, files: [...job.files.keys()].sort(), notes: job.notes };
}

/** What of a job folder is not what its notebook would give now; empty when both agree. Writes nothing. */
export async function checkPromotion(notebookFile: string, options: PromoteOptions): Promise<readonly string[]> {
  const folder = path.resolve(options.out);
  const earlier = await earlierPromotion(folder);
  if (earlier === undefined) return ["(nothing was promoted to this folder)"];
  const job = await makeJob(notebookFile, options, { folder, promotion: earlier });
  return drift(folder, job.files, earlier);
}

interface MadeJob {
  readonly name: string;
  readonly files: JobFiles;
  readonly notes: readonly string[];
}

async function makeJob(
  notebookFile: string,
  options: PromoteOptions,
  check?: { folder: string; promotion: EarlierPromotion },
): Promise<MadeJob> {
  const progress = options.progress ?? (() => {});
  const notebook = await readNotebook(notebookFile);
  const name = jobName(options.name ?? notebook.name);
  progress("finding what the sinks need …");
  const analysis = analyse(notebook);
  const { refused, allowed } = judge(analysis.problems, options.allow ?? []);
  if (refused.length > 0) throw new PromotionRefusal(refused, path.basename(notebook.file));

  await new Promise(setImmediate); // analysing hears no signal
  options.signal?.throwIfAborted();
  progress("executing the kept statements, recording the replay …");
  const reads = recordedReads(notebook.cells);
  const shown = shownRows(notebook);
  const vendored = vendoredMillrace();
  vendored.catch(() => {}); // awaited below
  const execution = await executeNotebook(
    analysis,
    {
      schemas: Object.fromEntries(reads.schemas),
      fallback: check?.promotion.schemas ?? {},
      ranges: reads.ranges,
      shown: shown.map(({ topic, ranges }) => ({ topic, ranges })),
    },
    progress,
    options.signal,
  );
  const { answer } = execution;
  const { terminals } = answer;
  const sinks = terminals.filter((one) => one.kind === "sink");
  const tables = terminals.filter((one) => one.kind === "toTable");
  const parquet = terminals.filter((one) => one.kind === "toParquet");
  const warm = options.warm ? warmRanges(terminals, reads.all) : undefined;
  const unknown = Object.entries(answer.unknown);
  if (unknown.length > 0) throw new PromotionRefusal(unknown.map(noSchema), path.basename(notebook.file));
  const opened = withOpened(analysis.needs, answer.opened, notebook);
  const needs = withOnnxRuntime(opened, terminals, notebook.folder);
  const found = [
    ...needs.problems,
    ...sinkProblems(notebook, analysis.slice, sinks),
    ...(await shownProblems(shown, answer, check)),
  ];
  const different = judge(withoutSecrets(found, analysis.slice), options.allow ?? []);
  if (different.refused.length > 0) throw new PromotionRefusal(different.refused, path.basename(notebook.file));
  allowed.push(...different.allowed);

  progress("packing millrace …");
  const pack = await vendored;
  const texts = new Map<string, string | Uint8Array>();
  const parameters = allParameters(analysis, execution);
  const sources = Object.keys(answer.schemas);
  const outputs = [
    ...new Set(sinks.map(({ topic }) => topic)),
    ...tables.map(outputName),
    ...parquet.map(({ folder }) => `${folder}/*.parquet`),
  ];
  const label = `${notebook.name}.ipynb`;
  texts.set(
    "main.ts",
    emitMain(analysis.slice, {
      notebook: label,
      name,
      schemas: answer.schemas,
      parameters: analysis.parameters,
      needs,
      ...(warm && { warm }),
    }),
  );
  texts.set("main.test.ts", MAIN_TEST);
  texts.set(
    "package.json",
    packageJson({
      name,
      notebook: label,
      millraceVersion: pack.version,
      packages: needs.packages,
      pinned: pinnedPackages(needs.packages, notebook.folder),
    }),
  );
  texts.set("postinstall.mjs", POSTINSTALL);
  texts.set(`vendor/${pack.fileName}`, pack.bytes);
  texts.set("Dockerfile", dockerfile(parquet.length > 0));
  texts.set(".dockerignore", DOCKERIGNORE);
  texts.set(".gitignore", GITIGNORE);
  texts.set(
    "compose.yaml",
    composeYaml(
      name,
      sources.filter(isTopicList).flatMap((list) => list.split(",")),
      parameters,
      parquet.length > 0,
    ),
  );
  // what was measured differs from run to run: running the notebook again is no drift
  const measured = check
    ? check.promotion.measured
    : measuredOf(notebook.cells, "rates" in answer.recorded ? answer.recorded.rates : {});
  for (const [file, text] of kubernetesFiles(name, parameters, measured, parquet.length > 0)) texts.set(file, text);
  for (const [from, to] of needs.files) texts.set(to, await readFile(from));
  const recorded = await recordedFiles(execution, texts, shown, check);
  texts.set(
    "README.md",
    readme({
      name,
      notebook: label,
      sources,
      sinks: outputs,
      parameters,
      plan: answer.explained,
      recorded: !("nothing" in recorded),
      warm: warm !== undefined,
      folders: parquet.map(({ folder }) => folder),
    }),
  );
  const files = new Map([...texts].map(([file, content]) => [file, Buffer.from(content)] as const));
  const order = notebook.cells.some((cell) => cell.executionCount !== null)
    ? "as run"
    : "document order: the notebook never ran";
  const promotion = {
    madeBy: MADE_BY,
    millrace: pack.version,
    notebook: label,
    order,
    name,
    fingerprint: answer.fingerprint,
    parameters,
    parametersSchema: parametersSchema(parameters),
    schemas: answer.schemas,
    ...(warm && { warm }),
    sinks: sinks.map(({ topic, id }) => ({ topic, id })),
    ...(tables.length > 0 && { tables: tables.map(({ name, key }) => ({ name, ...(key && { key }) })) }),
    ...(parquet.length > 0 && { parquet: parquet.map(({ folder }) => ({ folder })) }),
    plan: terminals,
    vendor: { [`vendor/${pack.fileName}`]: sha256(pack.bytes) },
    packages: Object.fromEntries(needs.packages),
    copied: Object.fromEntries([...needs.files.values()].map((to) => [to, sha256(files.get(to)!)])),
    recorded,
    ...(measured && { measured }),
    allowed,
    // without execution counts: running the notebook again is no drift
    statements: explain(analysis).statements.map(({ executionCount, ...statement }) => statement),
    files: [...files.keys(), "promotion.json"].sort(),
  };
  files.set("promotion.json", Buffer.from(`${JSON.stringify(promotion, undefined, 2)}\n`));
  return { name, files, notes: notesOf(order, recorded, allowed) };
}

/** What cells showed and the kept statements do not: found by computing it again, or, when checking without a broker, by the rows that the folder holds. */
async function shownProblems(
  shown: readonly ShownRows[],
  { recorded }: NotebookAnswer,
  check: { folder: string; promotion: EarlierPromotion } | undefined,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const kept = check?.promotion.recorded as Partial<KeptRecords> | undefined;
  for (const [index, one] of shown.entries()) {
    let now: ShownDigest | null = null;
    if (!("nothing" in recorded)) now = recorded.shown[index] ?? null;
    else if (kept?.samples !== undefined && kept.expected?.[one.topic]?.shown && isOfSamples(one, kept.samples)) {
      const file = path.join(check!.folder, "expected", `${one.topic}.jsonl`);
      now = await readFile(file, "utf8").then(linesDigest, () => null);
    }
    if (now !== null && now.sha256 !== one.sha256) problems.push(shownDiffers(one, now));
  }
  return problems;
}

/** As `promotion.json` has it. */
interface KeptRecords {
  readonly samples: Readonly<Record<string, { readonly ranges: Ranges[string] }>>;
  readonly expected: Readonly<Record<string, { readonly shown?: string }>>;
}

/** The samples and expected rows; when checking, what the folder already holds for the same ranges, so that no broker is needed. */
async function recordedFiles(
  { answer, samples }: Execution,
  texts: Map<string, string | Uint8Array>,
  shown: readonly ShownRows[],
  check: { folder: string; promotion: EarlierPromotion } | undefined,
): Promise<Record<string, unknown>> {
  const { recorded } = answer;
  /** The digest that a cell showed of exactly these records. */
  const shownOf = (topic: string) => {
    const one =
      "nothing" in recorded
        ? undefined
        : shown.find((one) => one.topic === topic && isOfSamples(one, recorded.samples));
    return one && { shown: one.sha256, shownBy: one.cell.number };
  };
  if ("nothing" in recorded) {
    if (check === undefined) return { nothing: recorded.nothing };
    const kept = check.promotion.recorded as { samples?: Record<string, unknown>; expected?: Record<string, unknown> };
    const names = [
      ...Object.keys(kept.samples ?? {}).map((topic) => `samples/${topic}.jsonl.gz`),
      ...Object.keys(kept.expected ?? {}).map((topic) => `expected/${topic}.jsonl`),
    ];
    for (const name of names) texts.set(name, await readFile(path.join(check.folder, name)).catch(() => ""));
    return check.promotion.recorded as Record<string, unknown>;
  }
  for (const [file, bytes] of samples) texts.set(`samples/${file}`, bytes);
  for (const [topic, lines] of Object.entries(recorded.expected)) texts.set(`expected/${topic}.jsonl`, lines);
  return {
    samples: Object.fromEntries(
      Object.entries(recorded.samples).map(([topic, sample]) => [
        topic,
        { ...sample, sha256: sha256(samples.get(`${topic}.jsonl.gz`)!) },
      ]),
    ),
    expected: Object.fromEntries(
      Object.entries(recorded.expected).map(([topic, lines]) => [
        topic,
        { rows: lines.split("\n").length - 1, sha256: sha256(lines), ...shownOf(topic) },
      ]),
    ),
  };
}

/** Those the cells declared when they ran, and the constants of cells tagged `parameters`. */
function allParameters(analysis: Analysis, { answer }: Execution): Parameter[] {
  const parameters = new Map<string, Parameter>();
  for (const { name, type, default: value, env, flag, ...rest } of answer.parameters) {
    const { description, choices, min, max } = rest as Partial<Parameter>;
    const bounds = { description, choices, min, max };
    parameters.set(name, { name, type, default: value as ParameterValue, variable: env, flag, ...bounds });
  }
  for (const { name, type, default: value, variable, flag } of analysis.parameters) {
    if (!parameters.has(name)) parameters.set(name, { name, type, default: value, variable, flag });
  }
  return [...parameters.values()];
}

/** A source is a list of topics joined with commas, or a pattern: only the former can be created. */
const isTopicList = (source: string) => /^[A-Za-z0-9._,-]+$/.test(source);

function jobName(text: string): string {
  const plain = text.normalize("NFKD").replace(/\p{Mark}/gu, ""); // Überblick: Uberblick
  const name = plain.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^-+|-+$/g, "");
  if (name !== "" && name.length <= 150) return name;
  throw new Refusal({
    code: "BAD_NAME",
    what: `"${text}" gives no name for a job.`,
    remedies: ["--name NAME: letters, digits, . _ -"],
  });
}

const noSchema = ([source, why]: [string, string]): Problem => ({
  code: "NO_SCHEMA",
  what: `The schema of ${source} is not known: the notebook's journal has no read of it. ${why}`,
  remedies: [
    "run the notebook (millrace run NOTEBOOK) and promote again",
    `give it: topic("${source}", { schema: { … } })`,
  ],
});

function notesOf(order: string, recorded: Record<string, unknown>, allowed: readonly Problem[]): string[] {
  const notes: string[] = [];
  if (order !== "as run") notes.push("The notebook never ran: its cells were taken in document order.");
  if ("nothing" in recorded) notes.push(`Nothing is recorded for the replay: ${recorded.nothing}.`);
  for (const { code, cell, line, what } of allowed) notes.push(`Allowed ${code} (cell ${cell}, line ${line}): ${what}`);
  return notes;
}
