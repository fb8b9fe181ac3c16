import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { MillraceError } from "../../lib/error.ts";
import { Cluster, kafkaConfigFromEnv } from "../../lib/log/index.ts";
import { EmbeddedBroker } from "../broker/embedded-broker.ts";
import { runToEnd, type Started, start } from "./child.ts";
import { Progress } from "./progress.ts";

export interface DemoReport {
  readonly rowsIn: number;
  readonly alertsOut: number;
  readonly jobFolder: string;
  readonly stateRows: number;
  readonly seconds: number;
}

const repository = path.resolve(import.meta.dirname, "../..");
const cli = path.join(repository, "kernel/cli/main.ts");
const venv = (tool: string) => path.join(repository, ".venv", process.platform === "win32" ? "Scripts" : "bin", tool);

const SOURCE = "phone-data";
const ALERTS = "crash-alerts";
const DEVICES = 20;
const ALERTS_TO_SEE = 5;

/**
 * The whole way once, on real parts: Kafka, phones, the notebook through its kernel, promotion, replay, the job, its alerts and its state.
 * @param keep leave everything running, open JupyterLab, and end when that ends
 */
export async function demo({ keep }: { keep: boolean }): Promise<DemoReport> {
  const progress = new Progress(keep ? 8 : 7);
  const stops: (() => Promise<unknown>)[] = [];
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-demo-"));
  stops.push(() => rm(work, { recursive: true, force: true }));
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => reject(new MillraceError({ code: "INTERRUPTED", what: `stopped by ${signal}` })));
  });
  interrupted.catch(() => {});
  try {
    return await Promise.race([interrupted, walk(progress, stops, work, keep)]);
  } finally {
    console.error("\ncleaning up …");
    for (const stop of stops.reverse()) await stop().catch((error) => progress.note(String(error)));
  }
}

async function walk(
  progress: Progress,
  stops: (() => Promise<unknown>)[],
  work: string,
  keep: boolean,
): Promise<DemoReport> {
  const servers = await progress.step("starting Kafka", () => kafka(progress, stops));
  const env: NodeJS.ProcessEnv = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: servers };
  const millrace = (...args: string[]) => runToEnd(process.execPath, [cli, ...args], { env, cwd: repository });

  await progress.step(`${DEVICES} simulated phones write to ${SOURCE}`, async () => {
    const phones = ["simulate", "phone", "--topic", SOURCE, "--create", "4", "--devices", String(DEVICES)];
    // twenty phones send ten readings a second each: the last hundred seconds, then the present
    await millrace(...phones, "--count", "20000", "--start", "-100s");
    const feed = start(process.execPath, [cli, ...phones, "--rate", "200"], { env });
    stops.push(() => feed.stop());
    progress.note("20,000 readings are there; 200 a second go on coming");
  });

  const folder = path.join(repository, "jobs");
  const notebook = path.join(folder, "crash-detection.ipynb");
  await progress.step("executing notebooks/crash-detection.ipynb through the kernel (nbclient)", async () => {
    await mkdir(folder, { recursive: true });
    await copyFile(path.join(repository, "notebooks/crash-detection.ipynb"), notebook);
    await millrace("install", "--prefix", path.join(repository, ".venv"));
    const headless = { ...env, MILLRACE_LIVE_FOR: "3s" };
    await runToEnd(venv("jupyter"), ["execute", "--inplace", "--timeout=60", notebook], { env: headless });
    progress.note(`executed: ${show(notebook)}`);
  });

  const jobFolder = path.join(folder, "crash-detection");
  await progress.step("promoting it to a job, and proving by replay that the job does the same", async () => {
    progress.note(await millrace("promote", notebook, "--out", jobFolder));
    await runToEnd("npm", ["install", "--no-audit", "--no-fund"], { cwd: jobFolder, env });
    progress.note(await millrace("replay", jobFolder));
  });

  const stateDir = path.join(work, "state");
  const { job, tail, alerts } = await progress.step(`starting the job; alerts arrive on ${ALERTS}`, async () => {
    const job = start(process.execPath, ["main.ts", "--json"], {
      cwd: jobFolder,
      // a name of its own, so that a second demo on the same Kafka starts afresh
      env: { ...env, MILLRACE_STATE_DIR: stateDir, MILLRACE_JOB_NAME: path.basename(work) },
    });
    stops.push(() => job.stop());
    const alerts: string[] = [];
    await topicExists(servers, ALERTS, job);
    const tail = start(process.execPath, [cli, "tail", ALERTS, "--from", "earliest", "-f"], {
      env,
      onLine: (line) => {
        alerts.push(line);
        if (alerts.length <= ALERTS_TO_SEE) progress.note(line.length > 150 ? `${line.slice(0, 147)}...` : line);
      },
    });
    stops.push(() => tail.stop());
    await poll(`${ALERTS_TO_SEE} alerts on ${ALERTS}`, job, async () => alerts.length >= ALERTS_TO_SEE);
    return { job, tail, alerts };
  });

  const stateRows = await progress.step("reading the job's state by SQL while it runs", () =>
    stateByDevice(progress, job, (sql) => millrace("state", stateDir, "--json", sql)),
  );

  const next: [string, string][] = [
    ["npm run demo -- --keep", "leave all this running and open JupyterLab"],
    ["npx millrace lab notebooks", "the notebooks in JupyterLab"],
    [show(path.join(jobFolder, "main.ts")), "the job: the notebook's statements that its sink needs"],
    [show(path.join(jobFolder, "promotion.json")), "what was kept, what was dropped, and why"],
  ];
  console.error(`\nwhat to try next\n${next.map(([what, why]) => `  ${what.padEnd(40)} ${why}`).join("\n")}`);
  if (keep) await progress.step("JupyterLab; Ctrl-C ends it all", () => lab(env, stops));

  return await progress.step("stopping the job: it checkpoints and leaves", async () => {
    await job.stop();
    await tail.stop();
    const last = job.stdout().trim().split("\n").at(-1) ?? "";
    const { rowsIn } = JSON.parse(last) as { rowsIn: number };
    progress.note(`${rowsIn} readings in, ${alerts.length} alerts out, state for ${stateRows} phones`);
    return { rowsIn, alertsOut: alerts.length, jobFolder, stateRows, seconds: progress.seconds };
  });
}

const show = (file: string) => path.relative(process.cwd(), file);

/** The Kafka of `KAFKA_BOOTSTRAP_SERVERS`, checked to answer, else an embedded one. Topics the demo made go with it. */
async function kafka(progress: Progress, stops: (() => Promise<unknown>)[]): Promise<string> {
  if (!process.env.KAFKA_BOOTSTRAP_SERVERS) {
    const broker = await EmbeddedBroker.start({ progress: (line) => progress.note(line) });
    stops.push(() => broker.stop());
    return broker.bootstrapServers;
  }
  const config = kafkaConfigFromEnv();
  const cluster = await Cluster.connect(config);
  const before = await cluster.topicsMatching(/.*/);
  stops.push(async () => {
    const own = (await cluster.topicsMatching(/.*/)).filter(
      (name) => !before.includes(name) && (name === SOURCE || name === ALERTS || name.startsWith("millrace-demo-")),
    );
    for (const name of own) await cluster.deleteTopic(name);
    await cluster.close();
  });
  progress.note(`using ${process.env.KAFKA_BOOTSTRAP_SERVERS}`);
  return process.env.KAFKA_BOOTSTRAP_SERVERS;
}

async function topicExists(servers: string, topic: string, job: Started): Promise<void> {
  const cluster = await Cluster.connect(kafkaConfigFromEnv({ ...process.env, KAFKA_BOOTSTRAP_SERVERS: servers }));
  try {
    await poll(`topic ${topic}`, job, async () => (await cluster.topicsMatching(new RegExp(`^${topic}$`))).length > 0);
  } finally {
    await cluster.close();
  }
}

/** The table that holds the previous row of each device, counted once every device is in it. */
async function stateByDevice(
  progress: Progress,
  job: Started,
  query: (sql: string) => Promise<string>,
): Promise<number> {
  const rows = async (sql: string) => {
    const { columns, rows } = JSON.parse(await query(sql)) as { columns: string[]; rows: unknown[][] };
    return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
  };
  const tables = await rows(
    "SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'device' AND table_name NOT LIKE 'window_%' ORDER BY 1",
  );
  const table = String(tables[0]?.name ?? "");
  if (table === "") throw new MillraceError({ code: "NO_STATE", what: "the job's state has no table by device" });
  let count = 0;
  await poll(`${DEVICES} devices in ${table}`, job, async () => {
    count = Number((await rows(`SELECT count(*) AS n FROM ${table}`))[0]?.n);
    return count >= DEVICES;
  });
  progress.note(`SELECT * FROM ${table} ORDER BY device LIMIT 3`);
  for (const row of await rows(`SELECT * FROM ${table} ORDER BY device LIMIT 3`))
    progress.note(`  ${JSON.stringify(row)}`);
  progress.note(`${count} rows: one for each simulated phone`);
  return count;
}

async function poll(what: string, job: Started, condition: () => Promise<boolean>, patience = 30_000): Promise<void> {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (job.child.exitCode !== null)
      throw new MillraceError({
        code: "JOB_ENDED",
        what: `the job ended with exit code ${job.child.exitCode} before there was: ${what}\n${job.stderr().trim()}`,
      });
    if (Date.now() > end)
      throw new MillraceError({
        code: "WAITED_IN_VAIN",
        what: `waited ${patience / 1000} s in vain for: ${what}\n${job.stderr().trim().split("\n").slice(-12).join("\n")}`,
      });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function lab(env: NodeJS.ProcessEnv, stops: (() => Promise<unknown>)[]): Promise<void> {
  const notebooks = path.join(repository, "notebooks");
  const server = start(process.execPath, [cli, "lab", notebooks, "--", "--ServerApp.ip=127.0.0.1"], { env });
  stops.push(() => server.stop());
  server.child.stdout?.pipe(process.stderr);
  server.child.stderr?.pipe(process.stderr);
  await server.exit;
}
