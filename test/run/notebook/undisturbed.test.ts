import assert from "node:assert/strict";
import { test } from "node:test";
import { Admin } from "@platformatic/kafka";
import { topic } from "../../../lib/index.ts";
import { ownBroker } from "../../support/broker.ts";
import { until } from "../../support/until.ts";
import { readings, testTopics } from "./topics.ts";

const { create, write, bootstrapServers } = await testTopics(ownBroker);

test("a notebook joins no group, commits nothing and creates no topic", async () => {
  const admin = new Admin({ clientId: "outside", bootstrapBrokers: [bootstrapServers] });
  try {
    const world = async () => ({
      groups: [...(await admin.listGroups()).keys()].sort(),
      topics: (await admin.listTopics({ includeInternals: true })).sort(),
    });
    const [name, output] = [await create("quiet"), await create("quiet-out")];
    await write(name, readings(100));
    const before = await world();
    const phone = topic(name, { key: "device", time: "timestamp" });
    await phone.collect();
    const live = phone.live({ from: "earliest" });
    await until("rows are in", () => live.status.rowsOut === 100);
    await phone.to(output).run();
    const during = await world();
    await live.stop();
    assert.deepEqual(during, before);
  } finally {
    await admin.close();
  }
});
