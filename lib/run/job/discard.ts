import { createInterface } from "node:readline/promises";
import { Refusal } from "../../error.ts";
import { deleteGroup } from "../../log/delete-group.ts";
import { type Cluster, groupMembers } from "../../log/index.ts";
import { RESERVED } from "../../operators/compile.ts";
import { changelogTopic } from "./internal-topics.ts";
import type { JobPlan } from "./job-plan.ts";
import type { JobLog } from "./log.ts";
import type { RecordedPlan } from "./plan-history.ts";
import type { JobSettings } from "./settings.ts";

/** @throws {Refusal} `NOT_CONFIRMED` unless `--yes` is given, or the job's name is typed on a terminal */
export async function confirm(what: string, { name, yes }: JobSettings): Promise<void> {
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

/** Deletes the job's committed offsets. @throws {Refusal} `WORKERS_RUNNING` */
export const discardOffsets = (cluster: Cluster, settings: JobSettings): Promise<void> =>
  whenIdle(settings, () => deleteGroup(cluster, settings.name));

/** @throws {Refusal} `WORKERS_RUNNING` */
export const refuseWorkers = (cluster: Cluster, settings: JobSettings): Promise<void> =>
  whenIdle(settings, async () => (await groupMembers(cluster, settings.name)) === 0);

async function whenIdle({ name, sessionTimeout }: JobSettings, done: () => Promise<boolean>): Promise<void> {
  const patience = Date.now() + sessionTimeout + 2000; // a worker that was killed is a member until then
  while (!(await done())) {
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
}

/** The changelogs of a plan, and of those that ran before it under the same name. */
export function changelogsOf(name: string, plan: JobPlan, before: Iterable<RecordedPlan>): string[] {
  const earlier = [...before].flatMap(({ description }) => description.nodes).flatMap(({ stores }) => stores);
  return [...RESERVED, ...[...plan.stores, ...earlier].map((store) => store.name)].map((store) =>
    changelogTopic(name, store),
  );
}

/** Deletes topics that are there, and waits until they are gone. */
export async function discardTopics(cluster: Cluster, topics: Iterable<string>, log: JobLog): Promise<void> {
  const own = new Set(topics);
  const there = await cluster.topics();
  for (const topic of own) {
    if (!there.has(topic)) continue;
    await cluster.deleteTopic(topic);
    log.info("topic deleted", { topic });
  }
  while ([...(await cluster.topics()).keys()].some((topic) => own.has(topic)))
    await new Promise((resolve) => setTimeout(resolve, 100));
}
