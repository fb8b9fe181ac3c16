import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { uniqueName } from "../../support/broker.ts";
import { seeded } from "../../support/seeded.ts";
import { connect, phones, produce, readAll, run, temporaryFolder } from "./support.ts";

const cluster = await connect();

test("a job of joins goes on after a restart as if it had not been stopped", async () => {
  const name = uniqueName("joins");
  const topics = { TEST_INPUT: `${name}-in`, TEST_OTHER: `${name}-other`, TEST_DEVICES: `${name}-devices` };
  for (const topic of Object.values(topics))
    await cluster.createTopic(topic, { partitions: 2, config: { "retention.ms": "-1" } });
  const random = seeded(7);
  const left = phones(600, 5, random);
  const right = phones(600, 5, random, 1_700_000_000_000 - 7);
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: cluster.config.bootstrapServers,
    MILLRACE_JOB_NAME: name,
    MILLRACE_STATE_DIR: path.join(await temporaryFolder(), "state"),
    MILLRACE_COMMIT_INTERVAL: "200ms",
    TEST_OUTPUT: `${name}-out`,
    ...topics,
  };
  const toEnd = async () => {
    const { ended } = run([path.join(import.meta.dirname, "join-job.ts"), "--until", "end", "--json"], env);
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
  };
  await produce(
    cluster,
    topics.TEST_DEVICES,
    left.slice(0, 4).map(({ device }) => ({ key: device, text: JSON.stringify({ model: `model of ${device}` }) })),
  );
  await produce(cluster, topics.TEST_INPUT, left.slice(0, 300));
  await produce(cluster, topics.TEST_OTHER, right.slice(0, 280));
  await toEnd();
  await produce(cluster, topics.TEST_INPUT, left.slice(300));
  await produce(cluster, topics.TEST_OTHER, right.slice(280));
  await toEnd();
  const out = async (sink: string) => (await readAll(cluster, `${name}-out-${sink}`)).map(({ value }) => value);

  const nearest = new Map((await out("nearest")).map((value) => [value.n, value]));
  assert.equal(nearest.size, left.length, "each row once");
  const models = await out("models");
  assert.equal(models.length, left.length);
  for (const { device, model } of models)
    assert.equal(model, left.slice(0, 4).some((one) => one.device === device) ? `model of ${device}` : null);
  const pairs = await out("pairs");
  const apart = (a: { timestamp: number }, b: { timestamp: number }) => Math.abs(a.timestamp - b.timestamp);
  const expected = left.flatMap((l) =>
    right.filter((r) => r.device === l.device && apart(l, r) <= 50).map((r) => `${l.n} ${r.n}`),
  );
  const found = pairs.filter(({ n_right }) => n_right !== null).map(({ n, n_right }) => `${n} ${n_right}`);
  assert.equal(new Set(found).size, found.length, "no pair twice");
  const missing = expected.filter((pair) => !new Set(found).has(pair));
  const last = Math.max(...left.map(({ timestamp }) => timestamp)) - 100;
  const time = new Map(left.map(({ n, timestamp }) => [String(n), timestamp]));
  assert.deepEqual(
    missing.filter((pair) => time.get(pair.split(" ")[0]!)! < last),
    [],
  );
});
