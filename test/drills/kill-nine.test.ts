import { randomInt } from "node:crypto";
import test, { before } from "node:test";
import type { Cluster } from "../../lib/log/index.ts";
import { connect } from "../run/job/support.ts";
import { seeded } from "../support/seeded.ts";
import { killNineDrill } from "./kill-nine.ts";

// The short form; `node test/drills/main.ts` is the long one.
let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

for (const guarantee of ["exactly-once", "at-least-once"] as const) {
  test(`kill -9 at random instants, ${guarantee}`, { timeout: 300_000 }, async (t) => {
    const seed = randomInt(2 ** 31);
    t.diagnostic(`seed ${seed}`);
    await killNineDrill(cluster, {
      guarantee,
      kills: 4,
      records: 2000,
      random: seeded(seed),
      log: (line) => t.diagnostic(line),
    });
  });
}
