import { Refusal } from "../../error.ts";
import { BrokerRefused, type Cluster, topicConfigs } from "../../log/index.ts";
import type { JobLog } from "./log.ts";

const SETTINGS = ["cleanup.policy", "retention.ms", "retention.bytes"] as const;

/**
 * Looks at topics that are there already and have to keep what was said last of each key: whoever made them may have left them to Kafka's default, which
 * deletes by age, and state would be missing the day it is restored. Where the right to look is lacking, the log says so.
 * @throws {Refusal} `NOT_COMPACTED`
 */
export async function refuseForgetful(cluster: Cluster, topics: readonly string[], log: JobLog): Promise<void> {
  let configs: Awaited<ReturnType<typeof topicConfigs>>;
  try {
    configs = await topicConfigs(cluster, topics, SETTINGS);
  } catch (error) {
    if (!(error instanceof BrokerRefused) || !error.kafkaError.endsWith("AUTHORIZATION_FAILED")) throw error;
    return log.warn(
      "whether changelogs are compacted is not known: the right to describe their configuration is lacking",
    );
  }
  const wrong = [...configs].filter(([, config]) => forgets(config));
  const [[topic, config] = []] = wrong;
  if (topic === undefined || config === undefined) return;
  const set = SETTINGS.map((name) => `${name}=${config.get(name)}`).join(", ");
  throw new Refusal({
    code: "NOT_COMPACTED",
    what: `The topic ${topic} is to keep the last record of every key, and Kafka is told to delete from it (${set}): state would be lost.`,
    where: `topic ${wrong.map(([name]) => name).join(", ")}`,
    remedies: [
      "set cleanup.policy=compact on it (kafka-configs --alter --entity-type topics); where records may be deleted already, add --rebuild to the next start",
      "or delete it, where it holds nothing of this job: the job makes it as it has to be",
    ],
  });
}

/** Whether anything but compaction deletes records, or nothing ever does. */
function forgets(config: ReadonlyMap<string, string>): boolean {
  const policies = (config.get("cleanup.policy") ?? "").split(",").map((policy) => policy.trim());
  const limited = config.get("retention.ms") !== "-1" || config.get("retention.bytes") !== "-1";
  return !policies.includes("compact") || (policies.includes("delete") && limited);
}
