import type { Cluster } from "./cluster.ts";
import { BrokerRefused, kafkaErrorName } from "./errors.ts";
import { deleteRecordsV2, type messages } from "./kafka-package.ts";

const TIMEOUT = 15_000;

/** Deletes the records of a topic before these offsets, by partition. @throws {BrokerRefused} `TOPIC_AUTHORIZATION_FAILED`, … */
export async function deleteRecords(
  cluster: Cluster,
  topic: string,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  const doing = `deleting records of topic "${topic}"`;
  const left = new Map(offsets);
  await cluster.retry(doing, async () => {
    const { partitions } = (await cluster.metadata([topic])).get(topic)!;
    const leaders = Map.groupBy(
      partitions.filter(({ partition }) => left.has(partition)),
      ({ leader }) => leader,
    );
    for (const [leader, led] of leaders) {
      const wanted = led.map(({ partition }) => ({ partitionIndex: partition, offset: BigInt(left.get(partition)!) }));
      const { topics } = await cluster
        .broker(leader, "control")
        .request(deleteRecordsV2.api, [{ name: topic, partitions: wanted }], TIMEOUT)
        .catch((error) => {
          // the client throws for a code in the answer
          const answer = (error as { response?: messages.deleteRecordsV2.DeleteRecordsResponse }).response;
          if (answer === undefined) throw error;
          return answer;
        });
      for (const { partitionIndex, errorCode } of topics[0]!.partitions) {
        const error = kafkaErrorName(errorCode);
        // another worker has deleted more, or the topic is a new one
        if (errorCode !== 0 && error !== "OFFSET_OUT_OF_RANGE") throw new BrokerRefused(doing, error);
        left.delete(partitionIndex);
      }
    }
  });
}
