import { Refusal } from "../../error.ts";
import { type Cluster, type CommittedPosition, committedPositions } from "../../log/index.ts";
import type { JobPlan } from "./job-plan.ts";
import type { JobTopics } from "./job-topics.ts";

const MARK = /^millrace plan (\S+)$/;

/** The metadata that is committed with every offset: whose state the changelogs hold. It outlives every local file. */
export function planMark({ stores, program }: JobPlan): string {
  return stores.length === 0 ? "" : `millrace plan ${program.fingerprint}`;
}

type Positions = ReadonlyMap<string, ReadonlyMap<number, CommittedPosition>>;

/** @throws {Refusal} `STATE_OF_ANOTHER_PLAN` when positions were committed by another plan, with state that is not carried over */
export function refuseOtherPlan(committed: Positions, plan: JobPlan, group: string): void {
  for (const [topic, partitions] of committed) {
    for (const [partition, { metadata }] of partitions) {
      const writer = MARK.exec(metadata)?.[1];
      if (writer === undefined || writer === plan.program.fingerprint) continue;
      throw new Refusal({
        code: "STATE_OF_ANOTHER_PLAN",
        what: `The state in the changelogs was written by another version of the plan (${writer}, now ${plan.program.fingerprint}); carrying state over a change of plan is not built.`,
        where: `group ${group}, topic ${topic}, partition ${partition}`,
        remedies: [
          "run the changed plan under a new name, from the start: MILLRACE_JOB_NAME and MILLRACE_STATE_DIR",
          "or run the plan that wrote the state",
        ],
      });
    }
  }
}

/** The same for all of a job's sources. */
export async function refuseOtherPlanOf(
  cluster: Cluster,
  { sources }: JobTopics,
  plan: JobPlan,
  group: string,
): Promise<void> {
  const metadata = await cluster.metadata(sources);
  const partitions = [...metadata].flatMap(([topic, { partitions }]) =>
    partitions.map((_, partition) => ({ topic, partition })),
  );
  refuseOtherPlan(await committedPositions(cluster, group, partitions, { requireStable: false }), plan, group);
}
