import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../../kernel/broker/embedded-broker.ts";
import { seeded } from "../support/seeded.ts";
import type { Guarantee } from "./verify.ts";

// npm run drill -- --kills 50 --guarantee exactly-once --only kill-nine --seed 7
const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "30" },
    guarantee: { type: "string" },
    only: { type: "string" },
    seed: { type: "string" },
    records: { type: "string", default: "5000" },
  },
});
const broker = await EmbeddedBroker.start();
process.env.MILLRACE_TEST_BROKER = broker.bootstrapServers;
try {
  const { connect } = await import("../run/job/support.ts");
  const { killNineDrill } = await import("./kill-nine.ts");
  const { brokerKillDrill } = await import("./broker-kill.ts");
  const { pausedWorkerDrill } = await import("./paused-worker.ts");
  const cluster = await connect();
  const [kills, records] = [Number(values.kills), Number(values.records)];
  const drills = {
    "kill-nine": (guarantee: Guarantee, random: () => number) =>
      killNineDrill(cluster, { guarantee, kills, records, random, log: console.log }),
    "paused-worker": (guarantee: Guarantee, random: () => number) =>
      pausedWorkerDrill(cluster, { guarantee, records, random, log: console.log }),
    "broker-kill": (guarantee: Guarantee, random: () => number) =>
      brokerKillDrill(broker, cluster, {
        guarantee,
        kills: Math.max(3, Math.ceil(kills / 5)),
        records,
        random,
        log: console.log,
      }),
  };
  for (const guarantee of ["exactly-once", "at-least-once"] as const) {
    if (values.guarantee !== undefined && values.guarantee !== guarantee) continue;
    for (const [name, drill] of Object.entries(drills)) {
      if (values.only !== undefined && values.only !== name) continue;
      const seed = Number(values.seed ?? randomInt(2 ** 31));
      console.log(`${name}, ${guarantee}, seed ${seed}`);
      const began = performance.now();
      await drill(guarantee, seeded(seed));
      console.log(
        `${name}, ${guarantee}: nothing lost, nothing wrong (${Math.round((performance.now() - began) / 1000)} s)`,
      );
    }
  }
  await cluster.close();
} finally {
  await broker.stop();
}
