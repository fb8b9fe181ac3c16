import type { Cluster } from "./cluster.ts";
import { BrokerRefused, kafkaErrorName } from "./errors.ts";
import { describeConfigsV4 } from "./kafka-package.ts";

const TOPIC = 2;

/**
 * What these settings of topics are: topic -> setting -> value, the broker's default where the topic has none of its own.
 * @throws {BrokerRefused} `TOPIC_AUTHORIZATION_FAILED` without the right to describe the configuration of all of them, …
 */
export async function topicConfigs(
  cluster: Cluster,
  topics: readonly string[],
  settings: readonly string[],
): Promise<Map<string, ReadonlyMap<string, string>>> {
  if (topics.length === 0) return new Map();
  const doing = `reading the configuration of ${topics.length === 1 ? `topic "${topics[0]}"` : `${topics.length} topics`}`;
  return await cluster.retry(doing, async () => {
    const broker = await cluster.anyBroker();
    const wanted = topics.map((topic) => ({
      resourceType: TOPIC as 2,
      resourceName: topic,
      configurationKeys: [...settings],
    }));
    const { results } = await broker.request(describeConfigsV4.api, wanted, false, false);
    return new Map(
      results.map(({ resourceName, errorCode, configs }) => {
        if (errorCode !== 0)
          throw new BrokerRefused(`reading the configuration of topic "${resourceName}"`, kafkaErrorName(errorCode));
        return [resourceName, new Map(configs.map(({ name, value }) => [name, value ?? ""]))];
      }),
    );
  });
}
