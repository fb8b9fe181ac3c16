import { randomUUID } from "node:crypto";
import { type Cluster, Producer, readRanges } from "../../log/index.ts";
import type { PlanDescription } from "../../plan/describe.ts";
import type { JobPlan } from "./job-plan.ts";
import { byteColumn, cell, textOf } from "./samples.ts";
import type { WarmRanges } from "./warm.ts";

/** A plan that has run under a job's name. */
export interface RecordedPlan {
  /** Its inputs were read in one order: rows between its tasks are in topics of the job. */
  readonly ordered: boolean;
  readonly description: PlanDescription;
}

/** The last time the state was built anew. */
export interface Rebuild {
  /** State files of before name another one. */
  readonly id: string;
  /** Records that make state and no output. */
  readonly ranges: WarmRanges;
}

export interface PlanHistory {
  /** By fingerprint. */
  readonly plans: ReadonlyMap<string, RecordedPlan>;
  readonly rebuild?: Rebuild;
}

/** The plans that a job has run: one compacted topic of one partition, so that a changed plan can be compared with what wrote the state. */
export const planTopic = (job: string) => `${job}-plan`;

const REBUILD = "rebuild"; // no fingerprint

export async function readPlans(cluster: Cluster, job: string): Promise<PlanHistory> {
  const topic = planTopic(job);
  const plans = new Map<string, RecordedPlan>();
  let rebuild: Rebuild | undefined;
  if (!(await cluster.topics()).has(topic)) return { plans };
  const to = (await cluster.listOffsets(topic, "latest", "read_uncommitted")).get(0) ?? 0;
  const from = (await cluster.listOffsets(topic, "earliest")).get(0) ?? 0;
  const range = { topic, partition: 0, from, to };
  for await (const { columns } of readRanges(cluster, [range], { isolation: "read_uncommitted" }))
    for (let i = 0; i < columns.count; i++) {
      const [key, value] = [cell(columns.keys, i), cell(columns.values, i)];
      if (key === null) continue;
      const read = value === null ? undefined : JSON.parse(textOf(value));
      if (textOf(key) === REBUILD) rebuild = read;
      else if (read !== undefined) plans.set(textOf(key), read);
    }
  return { plans, ...(rebuild && { rebuild }) };
}

/** Adds a plan to those that have run, before its first checkpoint. */
export async function recordPlan(cluster: Cluster, job: string, { program, ordered }: JobPlan): Promise<void> {
  const record: RecordedPlan = { ordered, description: program.description };
  await write(cluster, job, program.fingerprint, record);
}

/** Notes which records make state only, until the next time. @param ranges undefined: none */
export async function recordRebuild(cluster: Cluster, job: string, ranges: WarmRanges | undefined): Promise<void> {
  await write(cluster, job, REBUILD, ranges && ({ id: randomUUID(), ranges } satisfies Rebuild));
}

async function write(cluster: Cluster, job: string, key: string, value: unknown): Promise<void> {
  const topic = planTopic(job);
  const config = { "retention.ms": "-1", "cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime" };
  await cluster.createTopic(topic, { partitions: 1, config });
  const producer = await Producer.create(cluster);
  try {
    await producer.send(topic, 0, {
      count: 1,
      keys: byteColumn([Buffer.from(key)], false),
      values: byteColumn([value === undefined ? null : Buffer.from(JSON.stringify(value))], false),
      timestamps: Float64Array.of(Date.now()),
    });
    await producer.flush();
  } finally {
    await producer.close();
  }
}
