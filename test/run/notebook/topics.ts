import { after } from "node:test";
import { Cluster, type FetchedPartition, Fetcher, Producer, partitionByKey } from "../../../lib/log/index.ts";
import { columnsOf, rowsOf, type TestRecord } from "../../log/records.ts";
import { sharedBroker, uniqueName } from "../../support/broker.ts";

/** A broker for the driver under test, and a way to fill and read topics beside it. */
export async function testTopics(broker = sharedBroker) {
  const bootstrapServers = await broker();
  process.env.KAFKA_BOOTSTRAP_SERVERS = bootstrapServers;
  const cluster = await Cluster.connect({ bootstrapServers });
  after(() => cluster.close());

  const create = async (stem: string, partitions = 3, topic = uniqueName(stem)): Promise<string> => {
    await cluster.createTopic(topic, { partitions, config: { "retention.ms": "-1" } });
    return topic;
  };
  const write = async (topic: string, records: Parameters<typeof columnsOf>[0]): Promise<void> => {
    const producer = await Producer.create(cluster);
    const count = (await cluster.metadata([topic])).get(topic)!.partitions.length;
    for (const [partition, columns] of partitionByKey(columnsOf(records), count).entries())
      await producer.send(topic, partition, columns);
    await producer.flush();
    await producer.close();
  };
  /** Every record of a topic as of now. */
  const readAll = async (topic: string): Promise<(TestRecord & { partition: number })[]> => {
    const fetcher = new Fetcher(cluster);
    const [starts, ends] = [await cluster.listOffsets(topic, "earliest"), await cluster.listOffsets(topic, "latest")];
    const open = new Set(
      [...ends].filter(([partition, end]) => end > starts.get(partition)!).map(([partition]) => partition),
    );
    for (const partition of open) fetcher.assign(topic, partition, starts.get(partition)!);
    const rows: (TestRecord & { partition: number })[] = [];
    while (open.size > 0) {
      for (const { partition, columns, nextOffset } of (await fetcher.poll()) as FetchedPartition[]) {
        for (const row of rowsOf(columns)) rows.push({ partition, ...row });
        if (nextOffset >= ends.get(partition)!) open.delete(partition);
      }
    }
    await fetcher.close();
    return rows;
  };
  return { cluster, bootstrapServers, create, write, readAll };
}

const START = Date.UTC(2026, 0, 1);

/** `count` readings of 7 phones, one each 10 ms. */
export const readings = (count: number, from = 0, at = START): TestRecord[] =>
  Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const timestamp = at + n * 10;
    const value = { gForceX: ((n * 37) % 100) / 10, gForceY: (n % 13) - 6, gForceZ: 1, timestamp };
    return { key: `phone-${n % 7}`, value: JSON.stringify(value), timestamp };
  });
