import type { Parameter } from "../parameters.ts";

export interface ReadmeOptions {
  readonly name: string;
  readonly notebook: string;
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly plan: string;
  readonly recorded: boolean;
  readonly warm: boolean;
  /** Of Parquet files that it writes. */
  readonly folders: readonly string[];
}

export function readme({
  name,
  notebook,
  sources,
  sinks,
  parameters,
  plan,
  recorded,
  warm,
  folders,
}: ReadmeOptions): string {
  const rows = parameters.map(
    ({ variable, flag, type, default: value }) => `| \`${variable}\` | \`${flag}\` | ${type} | \`${value}\` |`,
  );
  const table = ["| variable | flag | type | default |", "|---|---|---|---|", ...rows, "", ""].join("\n");
  return `# ${name}

A stream job promoted from \`${notebook}\`: reads ${list(sources)}, writes ${list(sinks)}. Needs Kafka, and any Node from 20 on (it brings Node 24 along).

    npm install
    KAFKA_BOOTSTRAP_SERVERS=localhost:9092 npm start
    npm start -- --until end --json      # stop when all that is there now is done
    npm test                             # replay: no broker needed

Do not edit \`main.ts\`: change the notebook and run \`millrace promote\` again; \`millrace promote --check\` tells whether both agree.

## Parameters

${parameters.length === 0 ? "None.\n\n" : table}Besides: \`KAFKA_BOOTSTRAP_SERVERS\`, \`KAFKA_SASL_*\`, \`KAFKA_SSL_*\`, \`MILLRACE_GUARANTEE\` (\`exactly-once\`, \`at-least-once\`),
\`MILLRACE_COMMIT_INTERVAL\` (\`1s\`), \`MILLRACE_STATE_DIR\` (\`state\`), \`MILLRACE_JOB_NAME\` (\`${name}\`), \`MILLRACE_FROM\` (\`earliest\`), \`MILLRACE_LOG_FORMAT\` (\`text\`, \`json\`), \`MILLRACE_STANDBY_REPLICAS\` (\`0\`), \`PORT\`; secrets also from the file that \`NAME_FILE\` names.

## Where it begins

${warm ? "With the state of what the notebook had read (`warm` in `main.ts`): those records are read again, silently, and rows are written from where the notebook ended." : "At the earliest record."} \`MILLRACE_FROM\` says otherwise: \`earliest\`, \`latest\`, an ISO 8601 time, \`-10m\`. A job that has committed offsets goes on from them, always.

${folders.length === 0 ? "" : filesText(name, folders)}## Plan

\`\`\`
${plan.trim()}
\`\`\`

## Replay

${
  recorded
    ? "`samples/` holds the records the notebook read, `expected/` the rows it computed from them. `npm test` and `millrace replay` run `main.ts` over the samples and compare."
    : "Nothing was recorded: the notebook's reads were not known, or Kafka could not be reached when this folder was made. `npm test` fails until it is promoted again."
}

## Containers

    docker compose up --build            # with a Kafka of its own
    kubectl apply -k k8s                 # a StatefulSet; secrets by reference, see k8s/statefulset.yaml

HTTP on \`PORT\`: \`/health/live\`, \`/health/ready\`, \`/metrics\` (Prometheus), \`/state\` (read-only SQL).
`;
}

const filesText = (name: string, folders: readonly string[]) => `## Files

Each checkpoint that has rows adds a file per partition, \`${name}-PARTITION-NUMBER.parquet\`, to ${list(folders)}, exactly once (also with \`at-least-once\`); read them with a
glob (\`${folders[0]}/*.parquet\`). Folders are relative to \`MILLRACE_FILES_DIR\` (this folder; \`/files\` in a container), and shared by all workers. Fewer and larger
files: a longer \`MILLRACE_COMMIT_INTERVAL\`.

`;

const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
