import type { Cluster } from "../../log/index.ts";
import { changelogsOf, confirm, discardOffsets, discardTopics } from "./discard.ts";
import type { JobPlan } from "./job-plan.ts";
import type { JobLog } from "./log.ts";
import { planTopic, readPlans, recordRebuild } from "./plan-history.ts";
import { repartitionsOf } from "./rows-under-way.ts";
import type { JobSettings } from "./settings.ts";

/**
 * Throws a job's state away: its committed offsets, then its changelogs and repartition topics, last the record of its plans. Cut off in between, the
 * job refuses to start on what is left, and another reset goes on. Files of workers elsewhere are begun anew by themselves: they name the plan topic
 * they belong to by its id.
 * @throws {Refusal} `NOT_CONFIRMED`, `WORKERS_RUNNING`
 */
export async function resetJob(cluster: Cluster, plan: JobPlan, settings: JobSettings, log: JobLog): Promise<void> {
  const { name } = settings;
  await confirm(
    `--reset deletes the state and the committed offsets of ${name}: it reads its sources again from where a new job starts, and writes its outputs once more.`,
    settings,
  );
  const { plans, rebuild } = await readPlans(cluster, name);
  const repartitions = await repartitionsOf(cluster, plan, name);
  await discardOffsets(cluster, settings);
  if (rebuild !== undefined) await recordRebuild(cluster, name, undefined); // cut off here, the next start writes all
  await discardTopics(
    cluster,
    [...changelogsOf(name, plan, plans.values()), ...repartitions.keys(), planTopic(name)],
    log,
  );
}
