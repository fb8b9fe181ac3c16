import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../../kernel/broker/embedded-broker.ts";
import { seeded } from "../support/seeded.ts";

// npm run drill -- --kills 50 --guarantee exactly-once --seed 7
const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "30" },
    guarantee: { type: "string" },
    seed: { type: "string" },
    records: { type: "string", default: "5000" },
  },
});
const broker = await EmbeddedBroker.start();
process.env.MILLRACE_TEST_BROKER = broker.bootstrapServers;
try {
  const { connect } = await import("../run/job/support.ts");
  const { killNineDrill } = await import("./kill-nine.ts");
  const cluster = await connect();
  for (const guarantee of ["exactly-once", "at-least-once"] as const) {
    if (values.guarantee !== undefined && values.guarantee !== guarantee) continue;
    const seed = Number(values.seed ?? randomInt(2 ** 31));
    console.log(`${guarantee}, seed ${seed}`);
    await killNineDrill(cluster, {
      guarantee,
      kills: Number(values.kills),
      records: Number(values.records),
      random: seeded(seed),
      log: console.log,
    });
    console.log(`${guarantee}: nothing lost, nothing wrong`);
  }
  await cluster.close();
} finally {
  await broker.stop();
}
