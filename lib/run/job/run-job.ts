import { stat } from "node:fs/promises";
import { AggregatorRegistry } from "prom-client";
import { Cluster, kafkaConfigFromEnv } from "../../log/index.ts";
import type { TerminalNode } from "../../plan/nodes/terminal-node.ts";
import type { Schema } from "../../schema.ts";
import { StateFile } from "../../state/duckdb/state-file.ts";
import { queryState } from "../../state/duckdb/state-query.ts";
import { StateMemory } from "../../state/state-memory.ts";
import { MODES, type Mode } from "../modes.ts";
import { JobServer } from "./http-server.ts";
import { JobIo } from "./job-io.ts";
import { planJob } from "./job-plan.ts";
import { prepareTopics } from "./job-topics.ts";
import { stderrLog as log } from "./log.ts";
import { JobMetrics } from "./metrics.ts";
import type { OtherWorkers } from "./other-workers.ts";
import { planTopic, readPlans } from "./plan-history.ts";
import { judgePlan } from "./plan-mark.ts";
import { readState, whichWorker } from "./read-state.ts";
import { rebuildJob } from "./rebuild.ts";
import { resetJob } from "./reset.ts";
import { seedState } from "./seed-state.ts";
import type { JobSettings } from "./settings.ts";
import { forgetFurtherWorkers, forgetOwner, memberId, noteOwner } from "./state-folder.ts";
import { jobSummary } from "./summary.ts";
import { Worker } from "./worker.ts";
import { ownNumber, WorkerLink } from "./worker-link.ts";

/** Of the memory for state; the rest is for rows in memory, and for copies of them under way. */
const SHARE_OF_DUCKDB = 0.4;

/** How long the last checkpoint may take, ms: an orchestrator kills after 60 s (`k8s/`, `compose.yaml`). */
export const GRACE = 50_000;

/** Brokers that do not answer would hold the end up for minutes. Whoever goes on begins at the last checkpoint, as after a crash. */
function giveUp(): void {
  log.warn("not done in time after being asked to stop: ending at the last checkpoint", { seconds: GRACE / 1000 });
  process.exit(1);
}

/**
 * Runs the sinks as a job, until SIGTERM or SIGINT (checkpoint, leave the group, return) or until the end.
 * @param others the further workers of this machine, where this is the first of several
 * @throws {MillraceError} when the work cannot go on, {@link Refusal} for what is not run at all
 */
export async function runJob(
  terminals: readonly TerminalNode[],
  schemas: Readonly<Record<string, Schema>>,
  given: JobSettings,
  others?: OtherWorkers,
): Promise<void> {
  const wanted = planJob(terminals, schemas);
  const mode: Mode = given.replay === undefined ? MODES.job : MODES.replay;
  if (given.replay !== undefined && mode.sinksWrite === "never") {
    const { runReplay } = await import("./replay.ts");
    return await runReplay(wanted, given.replay, given.json);
  }
  const started = performance.now();
  const metrics = new JobMetrics();
  const closing: (() => Promise<unknown>)[] = [];
  let worker: Worker | undefined;
  let stopped = false;
  const finish = () => {
    if (!stopped) setTimeout(giveUp, GRACE).unref();
    stopped = true;
    worker?.stop();
    others?.stop();
  };
  let signalled = false;
  const stop = (signal: NodeJS.Signals) => {
    if (signalled) process.exit(1); // asked twice
    signalled = true;
    log.info("stopping", { signal });
    finish();
  };
  const unready = () => (worker === undefined ? { reason: "starting" } : worker.unready());
  const link = ownNumber(process.env) && new WorkerLink({ stop: finish, unready, metrics: () => metrics.asJson() });
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  try {
    if (others !== undefined) others.onFailure = finish;
    await link?.prepared;
    const cluster = await Cluster.connect(kafkaConfigFromEnv());
    closing.push(() => cluster.close());
    if (given.reset) await resetJob(cluster, wanted, given, log);
    if (given.rebuild) await rebuildJob(cluster, wanted, given, log);
    const { rebuild } = await readPlans(cluster, given.name);
    const asked = rebuild === undefined ? given : { ...given, warm: rebuild.ranges, rebuilds: true };
    const topics = await prepareTopics(cluster, wanted, asked.name, log);
    const plan = { ...wanted, goesOnFrom: await judgePlan(cluster, topics, wanted, asked.name, log) };
    const settings = topics.repartitions.size === 0 ? asked : await seedState(cluster, plan, topics, asked, log);
    if (link === undefined) await forgetFurtherWorkers(settings.stateDir, settings.workers);
    others?.prepared();
    // a job that was reset has another topic of this name: files of before are not gone on from
    const id = (await cluster.metadata([planTopic(settings.name)])).get(planTopic(settings.name))?.id;
    const history = rebuild === undefined ? id : `${id} ${rebuild.id}`; // the state of before a rebuild is another
    const owner = { job: settings.name, fingerprint: `${plan.program.fingerprint} ${history}` };
    const file = await StateFile.open({
      folder: settings.stateDir,
      owner,
      stores: plan.stores,
      memory: settings.stateMemory * SHARE_OF_DUCKDB,
      log: (line) => log.warn(line),
    });
    closing.push(() => file.close());
    metrics.measure = async () => {
      worker?.measure();
      const parts = await Promise.all([file.file, `${file.file}.wal`].map((name) => stat(name).catch(() => undefined)));
      metrics.stateBytes.set(parts.reduce((sum, part) => sum + (part?.size ?? 0), 0));
    };
    const memory = new StateMemory(settings.stateMemory);
    const instanceId = `${settings.name}-${await memberId(settings.stateDir)}`;

    const server = await JobServer.start({
      ...(settings.port === undefined ? {} : { port: settings.port }),
      ...(settings.stateToken === undefined ? {} : { token: settings.stateToken }),
      unready: async () => unready() ?? (await others?.unready()),
      metrics: () => allMetrics(metrics, others),
      query: async (sql, limits, values, number) => {
        if (others !== undefined && number !== 0) {
          const url = others.urlOf(number ?? -1);
          if (url === undefined) throw whichWorker(number, others.numbers);
          return await readState(url, sql, settings.stateToken, { values, limits });
        }
        const connection = await file.connect();
        try {
          return await queryState(connection, sql, limits, values);
        } finally {
          connection.closeSync();
        }
      },
    });
    closing.push(() => server.close());
    await noteOwner(settings.stateDir, settings.name, server.url);
    closing.push(() => forgetOwner(settings.stateDir));

    const io = await JobIo.create(cluster, topics, settings.guarantee, instanceId, settings.commitInterval);
    worker = new Worker({ cluster, plan, topics, settings, file, memory, io, metrics, log, instanceId });
    log.info("job started", {
      job: settings.name,
      guarantee: settings.guarantee,
      sources: topics.sources.join(","),
      outputs: [...topics.outputs.keys()].join(","),
      fingerprint: plan.program.fingerprint,
      url: server.url,
      seconds: (performance.now() - started) / 1000,
    });
    await others?.join();
    await link?.join(server.url);
    if (stopped) worker.stop();
    await worker.run();
    await others?.end();
    await link?.ended(worker.span());
    const summary = jobSummary(worker.span(), others?.spans ?? []);
    log.info("job ended", { ...summary });
    if (settings.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  } finally {
    others?.stop();
    await others?.end().catch(() => {});
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
    for (const close of closing.reverse())
      await close().catch((error) => log.warn("closing", { error: String(error) }));
  }
}

/** Of all workers of the machine: counters are summed, and a partition's gauges are one worker's. */
async function allMetrics(metrics: JobMetrics, others: OtherWorkers | undefined): Promise<string> {
  if (others === undefined) return await metrics.asText();
  const all = [await metrics.asJson(), ...(await others.metrics())];
  return await AggregatorRegistry.aggregate(all as never).metrics();
}
