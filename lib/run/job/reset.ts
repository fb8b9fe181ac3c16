import { createInterface } from "node:readline/promises";
import { Refusal } from "../../error.ts";
import { deleteGroup } from "../../log/delete-group.ts";
import type { Cluster } from "../../log/index.ts";
import { changelogTopic, repartitionTopic } from "./internal-topics.ts";
import type { JobPlan } from "./job-plan.ts";
import type { JobLog } from "./log.ts";
import { planTopic, readPlans } from "./plan-history.ts";
import type { JobSettings } from "./settings.ts";

/**
 * Throws a job's state away: its committed offsets, then its changelogs and repartition topics, last the record of its plans. Cut off in between, the
 * job refuses to start on what is left, and another reset goes on. Files of workers elsewhere are begun anew by themselves: they name the plan topic
 * they belong to by its id.
 * @throws {Refusal} `NOT_CONFIRMED`, `WORKERS_RUNNING`
 */
export async function resetJob(cluster: Cluster, plan: JobPlan, settings: JobSettings, log: JobLog): Promise<void> {
  const { name, sessionTimeout } = settings;
  await confirm(
    `--reset deletes the state and the committed offsets of ${name}: it reads its sources again from where a new job starts, and writes its outputs once more.`,
    settings,
  );
  const patience = Date.now() + sessionTimeout + 2000; // a worker that was killed is a member until then
  while (!(await deleteGroup(cluster, name))) {
    if (Date.now() > patience) {
      throw new Refusal({
        code: "WORKERS_RUNNING",
        what: `Workers of ${name} are running: their state cannot be thrown away.`,
        where: `group ${name}`,
        remedies: ["stop them, then try again"],
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const before = [...(await readPlans(cluster, name)).values()].flatMap(({ description }) => description.nodes);
  const stores = [...plan.stores, ...before.flatMap(({ stores }) => stores)].map((store) => store.name);
  const own = [
    ...["watermark", ...stores].map((store) => changelogTopic(name, store)),
    ...plan.program.repartitions.map((repartition) => repartitionTopic(name, repartition.name)),
    planTopic(name),
  ];
  const there = await cluster.topics();
  for (const topic of new Set(own)) {
    if (!there.has(topic)) continue;
    await cluster.deleteTopic(topic);
    log.info("topic deleted", { topic });
  }
  while ([...(await cluster.topics()).keys()].some((topic) => own.includes(topic)))
    await new Promise((resolve) => setTimeout(resolve, 100));
}

async function confirm(what: string, { name, yes }: JobSettings): Promise<void> {
  if (yes) return;
  if (process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question(`${what}\nType the name of the job to go on: `);
    terminal.close();
    if (answer.trim() === name) return;
  }
  throw new Refusal({
    code: "NOT_CONFIRMED",
    what: `${what} It was not confirmed, and nothing was done.`,
    remedies: ["add --yes"],
  });
}
