import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { EmbeddedBroker, freePort } from "../../kernel/broker/embedded-broker.ts";
import type { MillraceError } from "../../lib/error.ts";
import { Cluster, Producer } from "../../lib/log/index.ts";
import { uniqueName } from "../support/broker.ts";
import { until } from "../support/until.ts";
import { columnsOf, numbered } from "./records.ts";
import { connect, newTopic } from "./with-cluster.ts";

test("a broker that is not there: an error at once that names the address and the ways out", async () => {
  const server = `127.0.0.1:${await freePort()}`;
  await assert.rejects(Cluster.connect({ bootstrapServers: server }), (error: MillraceError) => {
    assert.equal(error.code, "UNREACHABLE_BROKER");
    assert.match(error.message, new RegExp(server.replaceAll(".", "\\.")));
    assert.match(
      error.message,
      /ECONNREFUSED[\s\S]*KAFKA_BOOTSTRAP_SERVERS[\s\S]*millrace broker[\s\S]*docker compose/,
    );
    return true;
  });
});

test("a broker that never answers: an error within the time given", async () => {
  const silent = net.createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as net.AddressInfo;
  const begun = Date.now();
  try {
    await assert.rejects(Cluster.connect({ bootstrapServers: `127.0.0.1:${port}`, requestTimeout: 500 }), {
      code: "UNREACHABLE_BROKER",
    });
    assert.ok(Date.now() - begun < 5000);
  } finally {
    silent.close();
  }
});

test("the second bootstrap server is tried when the first is away", async () => {
  const cluster = await connect();
  const both = await Cluster.connect({
    bootstrapServers: `127.0.0.1:${await freePort()},${cluster.config.bootstrapServers}`,
  });
  await both.close();
});

test("an address that is none is refused", async () => {
  for (const bootstrapServers of ["kafka", "kafka:", ":9092", "kafka:99999"])
    await assert.rejects(Cluster.connect({ bootstrapServers }), { code: "BAD_KAFKA_SETTING" });
});

test("a missing topic is an error that names similar ones", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "telemetry");
  await assert.rejects(cluster.metadata([topic.replace("telemetry", "telemetri")]), (error: MillraceError) => {
    assert.equal(error.code, "TOPIC_NOT_FOUND");
    assert.ok(error.message.includes(`did you mean "${topic}"`), error.message);
    return true;
  });
});

test("topics are created with partitions and settings, once, matched by pattern, and deleted", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "created", 3);
  assert.equal((await cluster.metadata([topic])).get(topic)!.partitions.length, 3);
  assert.equal(await cluster.createTopic(topic, { partitions: 3 }), false);
  assert.deepEqual(await cluster.topicsMatching(`created-.*${topic.slice(-4)}`), [topic]);
  assert.deepEqual(await cluster.topicsMatching(topic.slice(1, -1)), [topic], "a pattern is searched for within names");
  assert.deepEqual(await cluster.topicsMatching(`^${topic.slice(0, -1)}$`), [], "anchors hold");
  await cluster.deleteTopic(topic);
  // a broker takes a moment to learn what its controller has done
  await until("the topic is gone", async () => !(await cluster.topics()).has(topic), 30_000);
  await assert.rejects(cluster.metadata([topic]), { code: "TOPIC_NOT_FOUND" });
  await assert.rejects(cluster.createTopic(uniqueName("bad"), { config: { "no.such.setting": "1" } }), {
    code: "BROKER_REFUSED",
  });
});

test("a topic is created also while the controller holds every broker for lost", async () => {
  // heard of every four seconds and given up after one: fenced three quarters of the time
  const broker = await EmbeddedBroker.start({
    properties: { "broker.heartbeat.interval.ms": "4000", "broker.session.timeout.ms": "1000" },
  });
  try {
    const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
    try {
      const first = uniqueName("first");
      assert.equal(await cluster.createTopic(first, { partitions: 1 }), true);
      await until("the broker is fenced", async () => (await cluster.topics()).get(first)!.partitions[0]!.leader < 0);
      assert.equal(await cluster.createTopic(uniqueName("fenced"), { partitions: 2 }), true);
      await assert.rejects(cluster.createTopic(uniqueName("three"), { replicationFactor: 3 }), {
        kafkaError: "INVALID_REPLICATION_FACTOR",
      });
    } finally {
      await cluster.close();
    }
  } finally {
    await broker.stop();
  }
});

test("offsets by name and by time", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "offsets", 2);
  const producer = await Producer.create(cluster);
  await producer.send(topic, 0, columnsOf(numbered(100)));
  await producer.flush();
  const at = async (when: Parameters<Cluster["listOffsets"]>[1]) => [...(await cluster.listOffsets(topic, when))];
  assert.deepEqual(await at("earliest"), [
    [0, 0],
    [1, 0],
  ]);
  assert.deepEqual(await at("latest"), [
    [0, 100],
    [1, 0],
  ]);
  assert.deepEqual(await at(1_700_000_000_040), [
    [0, 40],
    [1, 0],
  ]);
  assert.deepEqual(
    await at(1_700_000_000_999),
    [
      [0, 100],
      [1, 0],
    ],
    "behind the last record: the end",
  );
  await producer.close();
});
