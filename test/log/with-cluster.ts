import { after } from "node:test";
import { Cluster, type Fetcher, type RecordColumns, type TopicPartition } from "../../lib/log/index.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { rowsOf, type TestRecord } from "./records.ts";

/** A cluster connection that is closed when the test file ends. */
export async function connect(): Promise<Cluster> {
  const cluster = await Cluster.connect({ bootstrapServers: await sharedBroker() });
  after(() => cluster.close());
  return cluster;
}

/** A new topic that keeps records of any age. */
export async function newTopic(
  cluster: Cluster,
  stem: string,
  partitions = 1,
  config: Record<string, string> = {},
): Promise<string> {
  const topic = uniqueName(stem);
  await cluster.createTopic(topic, { partitions, config: { "retention.ms": "-1", ...config } });
  return topic;
}

/** Polls until this many records of a topic partition are in, or throws after 20 s. */
export async function read(fetcher: Fetcher, count: number): Promise<(TestRecord & TopicPartition)[]> {
  const rows: (TestRecord & TopicPartition)[] = [];
  const end = Date.now() + 20_000;
  while (rows.length < count) {
    if (Date.now() > end) throw new Error(`only ${rows.length} of ${count} records within 20 s`);
    for (const { topic, partition, columns, error } of await fetcher.poll()) {
      if (error !== undefined) throw error;
      for (const row of rowsOf(columns as RecordColumns)) rows.push({ topic, partition, ...row });
    }
  }
  return rows;
}
