import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Cluster,
  committedOffsets,
  Fetcher,
  Producer,
  ProducerFenced,
  type RecordColumns,
  TransactionLost,
} from "../../lib/log/index.ts";
import { uniqueName } from "../support/broker.ts";
import { recordsWritten } from "../support/records-written.ts";
import { until } from "../support/until.ts";
import { consoleConsumer, kafkaTool } from "./java.ts";
import { columnsOf, numbered } from "./records.ts";
import { connect, newTopic, read } from "./with-cluster.ts";

const rows = (stem: string, count = 10): RecordColumns => columnsOf(numbered(count, stem));

/** All values of partition 0 up to the end as a reader of this isolation sees it. */
async function visible(
  cluster: Cluster,
  topic: string,
  isolation: "read_committed" | "read_uncommitted",
): Promise<string[]> {
  const end = (await cluster.listOffsets(topic, "latest", isolation)).get(0)!;
  const fetcher = new Fetcher(cluster, { isolation });
  fetcher.assign(topic, 0, 0);
  const values: string[] = [];
  await until("the end", async () => {
    let reached = 0;
    for (const { columns, nextOffset, error } of await fetcher.poll()) {
      if (error) throw error;
      for (let row = 0; row < columns.count; row++)
        values.push(
          String(Buffer.from(columns.values.bytes.subarray(columns.values.starts[row]!, columns.values.ends[row]!))),
        );
      reached = nextOffset;
    }
    return reached >= end || end === 0;
  });
  await fetcher.close();
  return values;
}

const texts = (stem: string, count = 10) => numbered(count, stem).map(({ value }) => value);

test("many batches to many partitions arrive complete and in order", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "pipelined", 3);
  const producer = await Producer.create(cluster, { maxBatchBytes: 3000, maxBufferedBytes: 50_000 });
  await Promise.all([0, 1, 2].map((partition) => producer.send(topic, partition, rows(`p${partition}-`, 20_000))));
  await producer.flush();
  await producer.close();
  const fetcher = new Fetcher(cluster);
  for (const partition of [0, 1, 2]) fetcher.assign(topic, partition, 0);
  const all = await read(fetcher, 60_000);
  for (const partition of [0, 1, 2])
    assert.deepEqual(
      all.filter((row) => row.partition === partition).map(({ value }) => value),
      texts(`p${partition}-`, 20_000),
    );
  await fetcher.close();
});

test("flush waits for what was sent before it, and not for what is sent meanwhile", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "flushed", 2);
  const producer = await Producer.create(cluster, { maxBatchBytes: 2000, maxBufferedBytes: 500_000 });
  const written = () => recordsWritten(cluster, topic);
  let [sent, flushed] = [0, false];
  // hundreds of batches are always waiting, so that there is no moment without one
  const sending = (async () => {
    while (!flushed) {
      await producer.send(topic, sent % 2, rows("v", 5000));
      sent += 5000;
      await new Promise(setImmediate);
    }
  })();
  await until("records are under way", () => sent >= 50_000);
  const before = sent;
  await producer.flush();
  assert.ok((await written()) >= before);
  flushed = true;
  await sending;
  await producer.flush();
  assert.equal(await written(), sent);
  await producer.close();
});

test("acks: leader writes as well", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "leader");
  const producer = await Producer.create(cluster, { acks: "leader", maxBatchBytes: 200 });
  await producer.send(topic, 0, rows("v", 100));
  await producer.flush();
  await producer.close();
  assert.deepEqual(await visible(cluster, topic, "read_committed"), texts("v", 100));
});

test("a missing topic or partition and a batch too large for the topic are errors of flush", async () => {
  const cluster = await connect();
  const small = await newTopic(cluster, "small", 1, { "max.message.bytes": "1000" });
  const attempts = [
    [uniqueName("missing"), 0, "TOPIC_NOT_FOUND"],
    [small, 5, "NO_SUCH_PARTITION"],
    [small, 0, "BROKER_REFUSED"],
  ] as const;
  for (const [topic, partition, code] of attempts) {
    const producer = await Producer.create(cluster);
    await producer.send(topic, partition, rows("v", 1000));
    await assert.rejects(producer.flush(), { code });
    await assert.rejects(producer.send(topic, partition, rows("v")), { code }, "nothing more is sent");
    await producer.close();
  }
  const producer = await Producer.create(cluster, { maxBatchBytes: 900 });
  await producer.send(small, 0, rows("v", 1000));
  await producer.flush();
  await producer.close();
});

test("after an error reinitialise() makes the producer good again", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "again", 1, { "max.message.bytes": "1000" });
  const producer = await Producer.create(cluster);
  await producer.send(topic, 0, rows("lost", 1000));
  await assert.rejects(producer.flush());
  await producer.reinitialise();
  await producer.send(topic, 0, rows("kept"));
  await producer.flush();
  assert.deepEqual(await visible(cluster, topic, "read_committed"), texts("kept"));
  await producer.close();
});

test("a transaction is seen whole after commit and not at all after abort", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "transactions");
  const producer = await Producer.create(cluster, { transactionalId: uniqueName("tx"), maxBatchBytes: 300 });
  for (const [stem, end] of [
    ["a", "commit"],
    ["b", "abort"],
    ["c", "commit"],
    ["d", "abort"],
    ["e", "commit"],
  ] as const) {
    producer.begin();
    await producer.send(topic, 0, rows(stem, 100));
    if (end === "commit")
      assert.deepEqual(
        (await visible(cluster, topic, "read_committed")).at(-1),
        stem === "a" ? undefined : texts(stem === "c" ? "a" : "c", 100).at(-1),
      );
    if (end === "abort") await producer.flush();
    await producer[end]();
  }
  producer.begin();
  await producer.commit(); // nothing in it
  const committed = ["a", "c", "e"].flatMap((stem) => texts(stem, 100));
  assert.deepEqual(await visible(cluster, topic, "read_committed"), committed);
  assert.equal((await visible(cluster, topic, "read_uncommitted")).length, 500);
  const java = await consoleConsumer(topic, 300, [], ["--isolation-level", "read_committed"]);
  assert.deepEqual(java, committed, "Kafka's own consumer sees the same");
  await producer.close();
});

test("abort() drops what was not sent yet, and the next transaction is whole", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "abort", 1);
  const producer = await Producer.create(cluster, { transactionalId: uniqueName("tx"), maxBatchBytes: 300 });
  for (let round = 0; round < 5; round++) {
    producer.begin();
    const sending = producer.send(topic, 0, rows("aborted", 3000)).catch(() => {});
    await producer.abort();
    await sending;
    producer.begin();
    await producer.send(topic, 0, rows(`kept${round}-`, 50));
    await producer.commit();
  }
  assert.deepEqual(
    await visible(cluster, topic, "read_committed"),
    [0, 1, 2, 3, 4].flatMap((round) => texts(`kept${round}-`, 50)),
  );
  await producer.close();
});

test("a successor fences a zombie: neither its records nor its commit count", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "fenced");
  const transactionalId = uniqueName("tx");
  const zombie = await Producer.create(cluster, { transactionalId });
  zombie.begin();
  await zombie.send(topic, 0, rows("zombie"));
  await zombie.flush();
  const successor = await Producer.create(cluster, { transactionalId });
  successor.begin();
  await successor.send(topic, 0, rows("successor"));
  await successor.commit();
  await assert.rejects(
    async () => {
      await zombie.send(topic, 0, rows("late"));
      await zombie.commit();
    },
    (error) => error instanceof ProducerFenced && error.code === "PRODUCER_FENCED",
  );
  await assert.rejects(zombie.abort(), ProducerFenced);
  await assert.rejects(zombie.reinitialise(), ProducerFenced);
  successor.begin();
  await successor.send(topic, 0, rows("still"));
  await successor.commit();
  assert.deepEqual(await visible(cluster, topic, "read_committed"), [...texts("successor"), ...texts("still")]);
  await Promise.all([zombie.close(), successor.close()]);
});

test("a transaction that timed out is lost, and the same producer goes on after abort()", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "timeout");
  const producer = await Producer.create(cluster, { transactionalId: uniqueName("tx"), transactionTimeout: 1000 });
  producer.begin();
  await producer.send(topic, 0, rows("slow"));
  await producer.flush();
  // the coordinator looks for transactions to abort every 10 s; the abort marker moves the last stable offset past them
  await until(
    "the coordinator's abort",
    async () => (await cluster.listOffsets(topic, "latest", "read_committed")).get(0)! > 10,
    25_000,
  );
  await assert.rejects(producer.commit(), TransactionLost);
  await producer.abort();
  producer.begin();
  await producer.send(topic, 0, rows("after"));
  await producer.commit();
  assert.deepEqual(await visible(cluster, topic, "read_committed"), texts("after"));
  await producer.close();
});

test("offsets go with their transaction; Kafka's own tool sees the committed ones only", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "offsets", 2);
  const groupId = uniqueName("group");
  const producer = await Producer.create(cluster, { transactionalId: uniqueName("tx") });
  const partitions = [
    { topic, partition: 0 },
    { topic, partition: 1 },
  ];
  const committed = async () => [...((await committedOffsets(cluster, groupId, partitions)).get(topic) ?? [])];
  producer.begin();
  await producer.send(topic, 0, rows("v"));
  await producer.sendOffsets(groupId, undefined, [
    [partitions[0]!, 5],
    [partitions[1]!, 7],
  ]);
  await producer.commit();
  producer.begin();
  await producer.sendOffsets(groupId, undefined, new Map([[partitions[0]!, 900]]));
  await producer.abort();
  assert.deepEqual(await committed(), [
    [0, 5],
    [1, 7],
  ]);
  const described = await kafkaTool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", [
    "--describe",
    "--group",
    groupId,
  ]);
  assert.match(described, new RegExp(`${topic}\\s+0\\s+5\\s`));
  assert.match(described, new RegExp(`${topic}\\s+1\\s+7\\s`));
  await producer.close();
});

test("topics written to the moment they are made: no batch is written before the first one", async () => {
  const cluster = await connect();
  for (let round = 0; round < 8; round++) {
    const topic = uniqueName("fresh");
    await cluster.createTopic(topic, { partitions: 4, config: { "retention.ms": "-1" } });
    const producer = await Producer.create(cluster, { maxBatchBytes: 500 });
    await Promise.all([0, 1, 2, 3].map((partition) => producer.send(topic, partition, rows("v", 200))));
    await producer.flush();
    await producer.close();
    assert.deepEqual(await visible(cluster, topic, "read_committed"), texts("v", 200));
  }
});

test("no first batch of a partition is turned down because the coordinator is at another change of the transaction", async () => {
  const cluster = await connect();
  const topics = [await newTopic(cluster, "first-a", 4), await newTopic(cluster, "first-b", 4)];
  const group = uniqueName("first-batches");
  const producer = await Producer.create(cluster, { transactionalId: uniqueName("first") });
  const refused: number[] = [];
  const broker = cluster.broker.bind(cluster);
  cluster.broker = (...asked: Parameters<typeof broker>) => {
    const connection = broker(...asked);
    if (asked[1] !== "produce") return connection;
    return Object.assign(Object.create(connection), {
      send: async (...sent: Parameters<typeof connection.send>) => {
        const answers = (await connection.send(...sent)) as { errorCode: number }[];
        refused.push(...answers.map(({ errorCode }) => errorCode).filter((code) => code !== 0));
        return answers;
      },
    });
  };
  for (let transaction = 0; transaction < 60; transaction++) {
    if (transaction === 1) refused.length = 0; // the coordinator of the group is loaded with the first
    producer.begin();
    for (const topic of topics)
      for (let partition = 0; partition < 4; partition++) {
        await producer.send(topic, partition, rows("r", 2));
        await new Promise((resolve) => setTimeout(resolve, 3)); // the coordinator is asked about the one before just then
      }
    await producer.sendOffsets(group, undefined, [[{ topic: topics[0]!, partition: 0 }, transaction]]);
    await producer.commit();
  }
  await producer.close();
  assert.deepEqual(refused, []);
});
