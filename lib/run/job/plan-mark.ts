import { Refusal } from "../../error.ts";
import { type Cluster, type CommittedPosition, committedPositions } from "../../log/index.ts";
import { type PlanDiff, planDiff, printPlanDiff } from "../../plan/diff.ts";
import type { JobPlan } from "./job-plan.ts";
import { type JobTopics, partitionsOf } from "./job-topics.ts";
import type { JobLog } from "./log.ts";
import { type RecordedPlan, readPlans, recordPlan } from "./plan-history.ts";

const MARK = /^millrace plan (\S+)$/;

/** The metadata that is committed with every offset: whose state the changelogs hold. It outlives every local file. */
export function planMark({ program }: JobPlan): string {
  return `millrace plan ${program.fingerprint}`;
}

type Positions = ReadonlyMap<string, ReadonlyMap<number, CommittedPosition>>;

/** The plans that committed these positions, other than this one. */
function otherWriters(committed: Positions, plan: JobPlan): Set<string> {
  const marks = [...committed.values()].flatMap((partitions) => [...partitions.values()]);
  const writers = marks.flatMap(({ metadata }) => MARK.exec(metadata)?.[1] ?? []);
  return new Set(writers.filter((writer) => writer !== plan.program.fingerprint));
}

/**
 * Looks at a partition's positions once more when it is opened: another worker may have committed since the start.
 * @throws {Refusal} `STATE_OF_ANOTHER_PLAN`
 */
export function refuseOtherPlan(committed: Positions, plan: JobPlan, group: string): void {
  for (const writer of otherWriters(committed, plan))
    if (!plan.goesOnFrom?.has(writer)) throw refusal(writer, plan, group, "A worker of that plan has committed since.");
}

/**
 * Judges, before the job joins its group and moves partitions of workers that run, what becomes of the state of the plan that ran before; then
 * notes this plan among those that have run.
 * @returns the fingerprints of the plans whose state this one goes on from
 * @throws {Refusal} `STATE_OF_ANOTHER_PLAN` with the difference, where the result would be silently wrong
 */
export async function judgePlan(
  cluster: Cluster,
  { sources }: JobTopics,
  plan: JobPlan,
  group: string,
  log: JobLog,
): Promise<ReadonlySet<string>> {
  const partitions = await partitionsOf(cluster, sources);
  const writers = otherWriters(await committedPositions(cluster, group, partitions, { requireStable: false }), plan);
  const { plans } = await readPlans(cluster, group);
  for (const writer of writers) {
    const before = plans.get(writer);
    if (before === undefined) throw refusal(writer, plan, group, "What that plan was is not known.");
    const diff = planDiff(before.description, plan.program.description);
    const wrong = silentlyWrong(before, plan, diff);
    if (wrong.length > 0) throw refusal(writer, plan, group, [...wrong, printPlanDiff(diff)].join("\n"));
    log.info("the plan has changed", { from: writer, to: plan.program.fingerprint });
    for (const { name, becomes, why } of diff.stores)
      log.info("state under the changed plan", { store: name, becomes, why });
  }
  if (!plans.has(plan.program.fingerprint)) await recordPlan(cluster, group, plan);
  return writers;
}

/** Why results from the committed offsets on would not be those of the new plan over all records. */
function silentlyWrong(before: RecordedPlan, plan: JobPlan, { stores }: PlanDiff): string[] {
  const wrong = stores.flatMap(({ name, becomes, from }) => {
    if (becomes === "new") return `State ${name} would begin at the committed offsets, without the records before.`;
    if (becomes === "rebuilt") return `State ${name} holds something else than the new plan needs.`;
    if (from === undefined) return [];
    return `State ${name} is what ${from} was, under another name, and is not carried over to it: give it its name back, or build it anew.`;
  });
  const sources = ({ nodes }: RecordedPlan["description"]) =>
    nodes.filter(({ kind }) => kind === "source").map(({ text }) => text);
  const same = sources(before.description).join("\n") === sources(plan.program.description).join("\n");
  if (plan.stores.length > 0 && !same)
    wrong.push("Event time of the sources is kept with the state, and the sources differ.");
  if (before.ordered || (plan.ordered && plan.stores.length > 0))
    wrong.push("Rows between tasks, or waiting for another input, were made by the plan before.");
  return wrong;
}

function refusal(writer: string, { program, stores }: JobPlan, group: string, why: string): Refusal {
  const rebuild =
    stores.length === 0
      ? []
      : ["or build the state anew from the source, with nothing written for what was read: --rebuild"];
  return new Refusal({
    code: "STATE_OF_ANOTHER_PLAN",
    what: `The state was written by another version of the plan (${writer}, now ${program.fingerprint}).\n${why}`,
    where: `group ${group}`,
    remedies: [
      "begin anew, with what is held thrown away: --reset",
      ...rebuild,
      "or run the changed plan under a new name, from the start: MILLRACE_JOB_NAME and MILLRACE_STATE_DIR",
      "or run the plan that wrote the state",
    ],
  });
}
