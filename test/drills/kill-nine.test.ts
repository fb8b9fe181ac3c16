import { randomInt } from "node:crypto";
import test, { before } from "node:test";
import type { Cluster } from "../../lib/log/index.ts";
import { connect } from "../run/job/support.ts";
import { seeded } from "../support/seeded.ts";
import type { Drill } from "./drill.ts";
import { killNineDrill } from "./kill-nine.ts";
import { threeWorkersDrill } from "./three-workers.ts";

// The short form; `npm run drill` is the long one.
let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const drills: Record<string, (drill: Drill) => Promise<unknown>> = {
  "kill -9 at random instants": (drill) => killNineDrill(drill, 4),
  "three workers, killed -9 at random": (drill) => threeWorkersDrill({ ...drill, records: 600 }, 2),
};

for (const [what, drill] of Object.entries(drills)) {
  for (const guarantee of ["exactly-once", "at-least-once"] as const) {
    test(`${what}, ${guarantee}`, { timeout: 300_000 }, async (t) => {
      const seed = randomInt(2 ** 31);
      t.diagnostic(`seed ${seed}`);
      const log = (line: string) => t.diagnostic(line);
      await drill({ cluster, guarantee, records: 2000, random: seeded(seed), outsider: true, log });
    });
  }
}
