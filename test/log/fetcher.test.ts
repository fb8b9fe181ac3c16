import assert from "node:assert/strict";
import { test } from "node:test";
import { EmbeddedBroker } from "../../kernel/broker/embedded-broker.ts";
import { Cluster, Fetcher, Producer } from "../../lib/log/index.ts";
import { uniqueName } from "../support/broker.ts";
import { until } from "../support/until.ts";
import { columnsOf, numbered } from "./records.ts";
import { connect, newTopic, read } from "./with-cluster.ts";

async function filled(stem: string, partitions: number, count: number) {
  const cluster = await connect();
  const topic = await newTopic(cluster, stem, partitions);
  const producer = await Producer.create(cluster);
  for (let partition = 0; partition < partitions; partition++)
    await producer.send(topic, partition, columnsOf(numbered(count, `p${partition}-`)));
  await producer.flush();
  await producer.close();
  return { cluster, topic };
}

test("reads every assigned partition from its offset on, in order", async () => {
  const { cluster, topic } = await filled("assigned", 3, 1000);
  const fetcher = new Fetcher(cluster, { partitionMaxBytes: 4000 });
  for (const partition of [0, 1, 2]) fetcher.assign(topic, partition, partition * 100);
  const rows = await read(fetcher, 1000 + 900 + 800);
  for (const partition of [0, 1, 2]) {
    const offsets = rows.filter((row) => row.partition === partition).map(({ offset }) => offset!);
    assert.deepEqual(
      offsets,
      Array.from({ length: 1000 - partition * 100 }, (_, i) => partition * 100 + i),
    );
  }
  assert.deepEqual(await fetcher.poll(50), [], "at the end there is nothing to poll");
  await fetcher.close();
});

test("every partition gets its turn when answers hold a few batches only", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "fair", 4);
  const producer = await Producer.create(cluster, { maxBatchBytes: 2000 });
  for (const partition of [0, 1, 2, 3]) await producer.send(topic, partition, columnsOf(numbered(2000)));
  await producer.flush();
  const fetcher = new Fetcher(cluster, { maxBytes: 8000, partitionMaxBytes: 8000 });
  for (const partition of [0, 1, 2, 3]) fetcher.assign(topic, partition, 0);
  const reached = [0, 0, 0, 0];
  let widest = 0;
  while (Math.min(...reached) < 2000) {
    for (const { partition, nextOffset } of await fetcher.poll()) reached[partition] = nextOffset;
    if (Math.max(...reached) < 2000) widest = Math.max(widest, Math.max(...reached) - Math.min(...reached));
  }
  assert.ok(widest < 1000, `one partition was ${widest} records ahead of another`);
  await Promise.all([fetcher.close(), producer.close()]);
});

test("a partition is read up when an answer that was asked for since then had no more, and what was given is worked on", async () => {
  const { cluster, topic } = await filled("read-up", 2, 100);
  const fetcher = new Fetcher(cluster, { maxWait: 50 });
  fetcher.assign(topic, 0, 0);
  fetcher.assign(topic, 1, 100);
  const since = performance.now();
  assert.deepEqual([fetcher.isReadUp(topic, 0, since), fetcher.isReadUp(topic, 1, since)], [false, false]);
  await read(fetcher, 100);
  await until("the end of the other is known", () => fetcher.isReadUp(topic, 1, since));
  assert.ok(!fetcher.isReadUp(topic, 0, since), "its records may not be worked on yet");
  assert.deepEqual(await fetcher.poll(), []);
  await until("the end is known", () => fetcher.isReadUp(topic, 0, since));
  assert.ok(!fetcher.isReadUp(topic, 0, performance.now()), "nothing was asked since");
  await fetcher.close();
});

test("a paused partition brings nothing until it is resumed; an unassigned one nothing at all", async () => {
  const { cluster, topic } = await filled("paused", 2, 100);
  const fetcher = new Fetcher(cluster, { maxWait: 100 });
  fetcher.assign(topic, 0, 0);
  fetcher.assign(topic, 1, 0);
  fetcher.pause(topic, 0);
  const rows = await read(fetcher, 100);
  assert.ok(rows.every(({ partition }) => partition === 1));
  assert.deepEqual(await fetcher.poll(), []);
  fetcher.resume(topic, 0);
  assert.ok((await read(fetcher, 100)).every(({ partition }) => partition === 0));
  fetcher.assign(topic, 0, 0);
  fetcher.unassign(topic, 0);
  assert.deepEqual(await fetcher.poll(), []);
  await fetcher.close();
});

test("an offset out of range is an error on its partition that says what there is, never a silent reset", async () => {
  const { cluster, topic } = await filled("range", 2, 10);
  const fetcher = new Fetcher(cluster);
  fetcher.assign(topic, 0, 5000);
  fetcher.assign(topic, 1, 0);
  const fetched = new Map<number, { count: number; error?: Error }>();
  await until("both partitions", async () => {
    for (const { partition, columns, error } of await fetcher.poll())
      fetched.set(partition, { count: columns.count, error });
    return fetched.size === 2;
  });
  assert.equal((fetched.get(0)!.error as { code?: string }).code, "OFFSET_OUT_OF_RANGE");
  assert.match(fetched.get(0)!.error!.message, /Offset 5000 .* it holds 0 to 10/);
  assert.equal(fetched.get(1)!.count, 10);
  assert.deepEqual(await fetcher.poll(100), [], "the partition has stopped");
  fetcher.assign(topic, 0, 8);
  assert.equal((await read(fetcher, 2)).length, 2, "assigned again, it goes on");
  await fetcher.close();
});

test("a topic that is not there, or is deleted, is an error on its partitions", async () => {
  const cluster = await connect();
  const fetcher = new Fetcher(cluster);
  fetcher.assign(uniqueName("nowhere"), 0, 0);
  const [fetched] = await until("the error", async () => {
    const polled = await fetcher.poll();
    return polled.length > 0 ? polled : undefined;
  });
  assert.equal(fetched!.error?.code, "TOPIC_NOT_FOUND");
  await fetcher.close();
});

test("a killed and restarted broker: reading and writing go on where they were, without gaps or repeats", async () => {
  const broker = await EmbeddedBroker.start();
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  try {
    const topic = await newTopic(cluster, "restart", 1);
    const producer = await Producer.create(cluster);
    const fetcher = new Fetcher(cluster);
    fetcher.assign(topic, 0, 0);
    await producer.send(topic, 0, columnsOf(numbered(1000)));
    await producer.flush();
    const before = await read(fetcher, 1000);
    await broker.kill();
    // sent while the broker is away, more than a request's worth
    const sending = (async () => {
      for (let i = 1; i < 20; i++) await producer.send(topic, 0, columnsOf(numbered(1000, "v", i * 1000)));
      await producer.flush();
    })();
    assert.deepEqual(await fetcher.poll(300), []);
    await broker.restart();
    await sending;
    const after = await read(fetcher, 19_000);
    assert.deepEqual(
      [...before, ...after].map(({ value }) => value),
      numbered(20_000).map(({ value }) => value),
    );
    await Promise.all([producer.close(), fetcher.close()]);
  } finally {
    await cluster.close();
    await broker.stop();
  }
});

test("brokers that stay away: poll throws once its patience is over", async () => {
  const broker = await EmbeddedBroker.start();
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  try {
    const topic = await newTopic(cluster, "away");
    const fetcher = new Fetcher(cluster, { patience: 1000 });
    fetcher.assign(topic, 0, 0);
    assert.deepEqual(await fetcher.poll(), []);
    await broker.kill();
    const begun = Date.now();
    await assert.rejects(
      async () => {
        while (Date.now() - begun < 15_000) await fetcher.poll();
      },
      { code: "UNREACHABLE_BROKER" },
    );
    await fetcher.close();
  } finally {
    await cluster.close();
    await broker.stop();
  }
});
