import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Cluster,
  GroupMember,
  type GroupMemberOptions,
  PartitionWatch,
  Producer,
  type TopicPartition,
  TransactionLost,
} from "../../lib/log/index.ts";
import { uniqueName } from "../support/broker.ts";
import { until } from "../support/until.ts";
import { kafkaTool } from "./java.ts";
import { connect, newTopic } from "./with-cluster.ts";

const numbers = (partitions: readonly TopicPartition[]) =>
  partitions.map(({ partition }) => partition).sort((a, b) => a - b);

/** A member that writes down what is done to it. */
function member(cluster: Cluster, groupId: string, topic: string, options: Partial<GroupMemberOptions> = {}) {
  const log: string[] = [];
  const note = (what: string) => (partitions: readonly TopicPartition[]) => {
    if (partitions.length > 0) log.push(`${what} ${numbers(partitions)}`);
  };
  const joined = new GroupMember(cluster, {
    groupId,
    topics: [topic],
    onAssigned: note("assigned"),
    onRevoked: note("revoked"),
    onLost: note("lost"),
    onFailed: (error) => log.push(error.code),
    ...options,
  });
  return { member: joined, log, owns: () => numbers(joined.assigned()) };
}

test("one member has all; a second takes half, and only that half is revoked; when it leaves the first has all again", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "halves", 4);
  const groupId = uniqueName("group");
  const a = member(cluster, groupId, topic);
  await a.member.join();
  assert.deepEqual(a.owns(), [0, 1, 2, 3]);
  const b = member(cluster, groupId, topic);
  await b.member.join();
  await until("the second half", () => b.owns().length === 2);
  assert.equal(a.owns().length, 2);
  assert.deepEqual([...a.owns(), ...b.owns()].sort(), [0, 1, 2, 3]);
  assert.deepEqual(a.log, ["assigned 0,1,2,3", "revoked 2,3"]);
  const described = await kafkaTool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", [
    "--describe",
    "--group",
    groupId,
    "--members",
  ]);
  assert.equal(described.split("\n").filter((line) => line.includes("millrace")).length, 2, described);
  await b.member.leave();
  await until("everything", () => a.owns().length === 4);
  assert.deepEqual(b.log.at(-1), "revoked 2,3");
  assert.deepEqual(a.log.slice(2), ["assigned 2,3"]);
  await a.member.leave();
});

test("partitions move once onRevoked has settled, and its commit in the new generation counts", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "handover", 2);
  const groupId = uniqueName("group");
  const events: string[] = [];
  const a = member(cluster, groupId, topic, {
    onRevoked: async (partitions) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await a.member.commit(partitions.map((partition) => [partition, 77] as const));
      events.push("committed");
    },
  });
  await a.member.join();
  const b = member(cluster, groupId, topic, {
    onAssigned: async (partitions) => {
      if (partitions.length === 0) return;
      const committed = await b.member.committed(partitions);
      events.push(`${numbers(partitions)} from ${committed.get(topic)?.get(partitions[0]!.partition)}`);
    },
  });
  await b.member.join();
  await until("the handover", () => events.length === 2);
  assert.deepEqual(events, ["committed", "1 from 77"]);
  await Promise.all([a.member.leave(), b.member.leave()]);
});

test("an onRevoked that does not settle in time loses its partitions", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "stuck", 2);
  const groupId = uniqueName("group");
  const stuck = Promise.withResolvers<void>();
  const a = member(cluster, groupId, topic, { rebalanceTimeout: 1500, onRevoked: () => stuck.promise });
  await a.member.join();
  const b = member(cluster, groupId, topic, { rebalanceTimeout: 1500 });
  await b.member.join();
  await until("the other half", () => b.owns().length === 1);
  assert.ok(a.log.includes("lost 1"), a.log.join());
  stuck.resolve();
  await Promise.all([a.member.leave(), b.member.leave()]);
});

test("a member that dies loses its partitions after the session timeout", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "dies", 2);
  const groupId = uniqueName("group");
  const a = member(cluster, groupId, topic, { sessionTimeout: 6000 });
  await a.member.join();
  const b = member(cluster, groupId, topic, { sessionTimeout: 6000 });
  await b.member.join();
  await until("a half", () => b.owns().length === 1);
  await a.member.close();
  await until("everything", () => b.owns().length === 2);
  await b.member.leave();
});

test("a static member that comes back has its partitions at once, and the others notice nothing", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "static", 4);
  const groupId = uniqueName("group");
  const first = member(cluster, groupId, topic, { instanceId: "worker-1", sessionTimeout: 30_000 });
  await first.member.join();
  const other = member(cluster, groupId, topic, { instanceId: "worker-2", sessionTimeout: 30_000 });
  await other.member.join();
  await until("a half", () => other.owns().length === 2);
  const before = { mine: first.owns(), log: [...other.log], generation: other.member.generation().generationId };
  await first.member.close();
  const again = member(cluster, groupId, topic, { instanceId: "worker-1", sessionTimeout: 30_000 });
  const begun = Date.now();
  await again.member.join();
  assert.ok(Date.now() - begun < 2000, "at once");
  assert.deepEqual(again.owns(), before.mine);
  assert.deepEqual(other.log, before.log);
  assert.equal(other.member.generation().generationId, before.generation, "no rebalance");
  await Promise.all([again.member.leave(), other.member.leave()]);
});

test("two processes under one instance id: the earlier one is told, and its commits are refused", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "fenced", 2);
  const groupId = uniqueName("group");
  const zombie = member(cluster, groupId, topic, { instanceId: "worker-1", sessionTimeout: 6000 });
  await zombie.member.join();
  const generation = zombie.member.generation();
  const successor = member(cluster, groupId, topic, { instanceId: "worker-1", sessionTimeout: 6000 });
  await successor.member.join();
  await assert.rejects(zombie.member.commit([[{ topic, partition: 0 }, 5]]), {
    code: "BROKER_REFUSED",
    kafkaError: "FENCED_INSTANCE_ID",
  });
  const producer = await Producer.create(cluster, { transactionalId: uniqueName("tx") });
  producer.begin();
  await assert.rejects(producer.sendOffsets(groupId, generation, [[{ topic, partition: 0 }, 5]]), TransactionLost);
  await producer.abort();
  producer.begin();
  await successor.member.stable((generation) =>
    producer.sendOffsets(groupId, generation, [[{ topic, partition: 0 }, 9]]),
  );
  await producer.commit();
  assert.equal((await successor.member.committed([{ topic, partition: 0 }])).get(topic)?.get(0), 9);
  await until("the zombie to be told", () => zombie.log.includes("MEMBER_FENCED"));
  assert.deepEqual(zombie.log.slice(-2), ["lost 0,1", "MEMBER_FENCED"]);
  await Promise.all([successor.member.leave(), producer.close()]);
});

test("a group of other consumers, or a topic that is not there, cannot be joined", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "foreign", 1);
  const lost = member(cluster, uniqueName("group"), uniqueName("missing"));
  await assert.rejects(lost.member.join(), { code: "TOPIC_NOT_FOUND" });
  const a = member(cluster, uniqueName("group"), topic, { sessionTimeout: 10 });
  await assert.rejects(a.member.join(), { code: "BROKER_REFUSED", kafkaError: "INVALID_SESSION_TIMEOUT" });
});

test("closing while others are waited for ends at once", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "closing", 2);
  const groupId = uniqueName("group");
  const revoking = Promise.withResolvers<void>();
  const a = member(cluster, groupId, topic, { onRevoked: () => revoking.promise });
  await a.member.join();
  const b = member(cluster, groupId, topic);
  await b.member.join();
  const c = member(cluster, groupId, topic);
  const joining = c.member.join();
  const begun = Date.now();
  await c.member.close();
  await assert.rejects(joining, { code: "CLOSED" });
  assert.ok(Date.now() - begun < 2000);
  revoking.resolve();
  await Promise.all([a.member.leave(), b.member.leave()]);
});

test("partitions added to a topic are noticed and shared out, also after the leader has restarted", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "grows", 2);
  const groupId = uniqueName("group");
  const options = { metadataMaxAge: 300, sessionTimeout: 30_000 };
  const leader = member(cluster, groupId, topic, { ...options, instanceId: "worker-1" });
  await leader.member.join();
  const other = member(cluster, groupId, topic, { ...options, instanceId: "worker-2" });
  await other.member.join();
  await until("a half", () => other.owns().length === 1);

  await addPartitions(topic, 4);
  await until("two each", () => leader.owns().length === 2 && other.owns().length === 2);
  assert.deepEqual([...leader.owns(), ...other.owns()].sort(), [0, 1, 2, 3]);

  await leader.member.close();
  const again = member(cluster, groupId, topic, { ...options, instanceId: "worker-1" });
  await again.member.join();
  assert.equal(again.owns().length, 2);
  await addPartitions(topic, 6);
  await until("three each", () => again.owns().length === 3 && other.owns().length === 3);
  assert.ok(!other.log.some((line) => line.startsWith("lost")), other.log.join("; "));
  await Promise.all([again.member.leave(), other.member.leave()]);
});

test("a reader by assignment is told of added partitions as well", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "watched", 1);
  const changes: [string, number, number][] = [];
  const watch = new PartitionWatch(cluster, [topic], (...change) => changes.push(change), 100);
  await addPartitions(topic, 3);
  await until("the change", () => changes.length > 0);
  watch.close();
  assert.deepEqual(changes, [[topic, 1, 3]]);
});

const addPartitions = (topic: string, count: number) =>
  kafkaTool("org.apache.kafka.tools.TopicCommand", ["--alter", "--topic", topic, "--partitions", String(count)]);
