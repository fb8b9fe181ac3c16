// `node scripts/examples.ts [NAME...]`: executes the notebooks over simulated topics and writes them, with what they showed, to docs/examples: what GitHub
// and the site render. Left out is what only a running front end can draw (Plotly figures, live tables): the pictures and tables beside it stay.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import {
  simulateChat,
  simulatePackedCar,
  simulatePhone,
  simulateQuotes,
  simulateSensor,
  simulateTrades,
} from "../kernel/simulate/index.ts";
import { Cluster, Producer, partitionByKey, type RecordColumns } from "../lib/log/index.ts";
import { millrace, runCommand } from "../test/promote/run-command.ts";

const repository = path.resolve(import.meta.dirname, "..");
const notebooks = path.join(repository, "notebooks");
const out = path.join(repository, "docs/examples");
const topics: Readonly<Record<string, () => Iterable<RecordColumns>>> = {
  "phone-data": () => simulatePhone({ count: 10_000, devices: 20, crashEvery: 100 }),
  "sensor-data": () => simulateSensor({ count: 20_000 }),
  quotes: () => simulateQuotes({ count: 20_000, rate: 500 }),
  trades: () => simulateTrades({ count: 2000, rate: 50 }),
  "chat-data": () => simulateChat({ count: 3000, devices: 40, rate: 4 }),
  "car-data": () => simulatePackedCar({ format: "arrow", channels: 500, hertz: 10, count: 1200 }),
};
/** Packages too large to be dependencies of the repository: the notebook runs where they are. */
const packages: Readonly<Record<string, string>> = { "crash-onnx": "onnxruntime-node@1.30.0" };

const chosen = process.argv.slice(2);
const names = (await readdir(notebooks))
  .filter((name) => name.endsWith(".ipynb"))
  .map((name) => path.basename(name, ".ipynb"))
  .filter((name) => chosen.length === 0 || chosen.includes(name));

const broker = await EmbeddedBroker.start();
const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
// inside the repository: packages are resolved from the notebook's folder
await mkdir(path.join(repository, "tmp"), { recursive: true });
const folder = await mkdtemp(path.join(repository, "tmp/examples-"));
try {
  await mkdir(out, { recursive: true });
  for (const [topic, records] of Object.entries(topics)) await feed(topic, records());
  for (const name of names) {
    const executed = path.join(folder, `${name}.ipynb`);
    const env = { KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers };
    const source = packages[name] === undefined ? notebooks : await withPackage(packages[name]);
    const ran = await millrace(["run", path.join(source, `${name}.ipynb`), "--for", "2s", "--out", executed], {
      env,
      deadline: 300_000,
    });
    if (ran.code !== 0) throw new Error(`${name}: ${ran.stderr}`);
    const notebook = JSON.parse(await readFile(executed, "utf8"));
    for (const cell of notebook.cells) {
      delete cell.metadata?.millrace; // the journal belongs to the one who ran it
      for (const output of cell.outputs ?? []) {
        delete output.metadata?.millrace;
        for (const mime of Object.keys(output.data ?? {}))
          if (/vnd\.(plotly|millrace)/.test(mime)) delete output.data[mime];
      }
    }
    delete notebook.metadata.millrace;
    await writeFile(path.join(out, `${name}.ipynb`), `${JSON.stringify(notebook, null, 1)}\n`);
    console.log(`${name}: written`);
  }
} finally {
  await cluster.close();
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
}

/** A copy of the notebooks in which a package can be imported. */
async function withPackage(name: string): Promise<string> {
  const copy = await mkdtemp(path.join(folder, "notebooks-"));
  await cp(notebooks, copy, { recursive: true });
  await writeFile(path.join(copy, "package.json"), '{"private":true,"type":"module"}');
  const env = { ONNXRUNTIME_NODE_INSTALL: "skip" }; // nothing but what npm has
  const npm = await runCommand("npm", ["install", "--save-exact", name, "--no-audit", "--no-fund"], { cwd: copy, env });
  if (npm.code !== 0) throw new Error(npm.stderr);
  return copy;
}

async function feed(topic: string, records: Iterable<RecordColumns>): Promise<void> {
  const partitions = 3;
  await cluster.createTopic(topic, { partitions, config: { "retention.ms": "-1" } });
  const producer = await Producer.create(cluster);
  for (const columns of records)
    for (const [partition, part] of partitionByKey(columns, partitions).entries())
      await producer.send(topic, partition, part);
  await producer.flush();
  await producer.close();
}
