import assert from "node:assert/strict";
import { test } from "node:test";
import { EmbeddedBroker, freePort } from "../../../kernel/broker/embedded-broker.ts";
import { topic } from "../../../lib/index.ts";
import { Cluster, Producer } from "../../../lib/log/index.ts";
import type { NotebookStatus } from "../../../lib/run/notebook/live-status.ts";
import { columnsOf } from "../../log/records.ts";
import { uniqueName } from "../../support/broker.ts";
import { until } from "../../support/until.ts";
import { readings } from "./topics.ts";

test("a live frame waits for its broker, and outlives it: it says so, keeps the last snapshot, and goes on", {
  timeout: 180_000,
}, async () => {
  const name = uniqueName("away");
  const port = await freePort();
  process.env.KAFKA_BOOTSTRAP_SERVERS = `127.0.0.1:${port}`;
  const live = topic(name, { key: "device", time: "timestamp" }).live({ from: "earliest" });
  await until("it waits for a broker", () => live.status.state === "waiting");
  assert.match(String(live.status.error), /cannot be reached/);
  const broker = await EmbeddedBroker.start({ port });
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  const write = async (count: number, from: number) => {
    const producer = await Producer.create(cluster);
    await producer.send(name, 0, columnsOf(readings(count, from)));
    await producer.flush();
    await producer.close();
  };
  await cluster.createTopic(name, { partitions: 1, config: { "retention.ms": "-1" } });
  await write(10, 0);
  try {
    await until("the first rows", () => live.status.rowsOut === 10);
    await broker.kill();
    await until("it says that the broker is away", () => (live.status as NotebookStatus).awaySince !== undefined);
    assert.deepEqual([live.status.state, live.df.height], ["reading", 10]);
    await broker.restart();
    await write(5, 10);
    await until("the rows written since", () => live.status.rowsOut === 15);
    assert.equal((live.status as NotebookStatus).awaySince, undefined);
  } finally {
    await live.stop();
    await cluster.close();
    await broker.stop();
  }
});
