import test, { before } from "node:test";
import type { Cluster } from "../../lib/log/index.ts";
import { connect } from "../run/job/support.ts";
import { newSeed, seeded } from "../support/seeded.ts";
import type { Drill } from "./drill.ts";
import { pausedWorkerDrill } from "./paused-worker.ts";
import { DRILL_PLANS, type DrillPlans } from "./plans.ts";
import { rebalanceDrill } from "./rebalance.ts";
import type { Guarantee } from "./verify.ts";

// Partitions that change hands, in short; `npm run drill` has the long forms.
let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const drills: [string, Guarantee, DrillPlans, (drill: Drill) => Promise<void>][] = [
  ["workers come and go under load", "at-least-once", "placed", (drill) => rebalanceDrill(drill, 1, "0")],
  ["a worker is stopped for longer than its session, and goes on", "exactly-once", "apart", pausedWorkerDrill],
];

for (const [what, guarantee, plans, drill] of drills) {
  test(what, { timeout: 300_000 }, async (t) => {
    const seed = newSeed();
    t.diagnostic(`seed ${seed}`);
    const log = (line: string) => t.diagnostic(line);
    const sinks = DRILL_PLANS[plans].join(",");
    await drill({ cluster, guarantee, plans: sinks, records: 1000, random: seeded(seed), outsider: false, log });
  });
}
