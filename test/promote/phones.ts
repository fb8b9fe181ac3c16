import { simulatePhone } from "../../kernel/simulate/index.ts";
import { Cluster, Producer, partitionByKey } from "../../lib/log/index.ts";

/** Creates a topic of simulated phones: `count` readings of `devices` phones in four partitions. */
export async function feedPhones(servers: string, topic: string, count: number, devices = 20): Promise<void> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  try {
    await cluster.createTopic(topic, { partitions: 4, config: { "retention.ms": "-1" } });
    await sendPhones(cluster, topic, count, devices);
  } finally {
    await cluster.close();
  }
}

/** More readings for it. */
export async function sendPhones(cluster: Cluster, topic: string, count: number, devices = 20): Promise<void> {
  const producer = await Producer.create(cluster);
  for (const columns of simulatePhone({ count, devices, crashEvery: 500 })) {
    for (const [partition, part] of partitionByKey(columns, 4).entries()) await producer.send(topic, partition, part);
  }
  await producer.flush();
  await producer.close();
}
