import test, { before } from "node:test";
import type { Cluster } from "../../lib/log/index.ts";
import { connect } from "../run/job/support.ts";
import { newSeed, seeded } from "../support/seeded.ts";
import type { Drill } from "./drill.ts";
import { killNineDrill } from "./kill-nine.ts";
import { DRILL_PLANS, type DrillPlans } from "./plans.ts";
import { threeWorkersDrill } from "./three-workers.ts";
import type { Guarantee } from "./verify.ts";

// The short form; `npm run drill` is the long one, and `MILLRACE_LONG_TESTS=1` one between them.
const LONG = process.env.MILLRACE_LONG_TESTS === "1";
let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const kills = (drill: Drill) => killNineDrill(drill, LONG ? 4 : 2);
const workers = (drill: Drill) => threeWorkersDrill({ ...drill, records: 1400 }, 2);

// every kind of plans with one of the drills, and each guarantee with one that kills where it matters
const drills: [string, Guarantee, DrillPlans, (drill: Drill) => Promise<unknown>][] = [
  ["kill -9 at random instants", "exactly-once", "apart", kills],
  ["kill -9 at random instants", "at-least-once", "joined", kills],
  ["three workers, killed -9 at random", "exactly-once", "all", workers],
];
if (LONG) drills.push(["three workers, killed -9 at random", "at-least-once", "all", workers]);

for (const [what, guarantee, plans, drill] of drills) {
  test(`${what}, ${guarantee}, plans ${plans}`, { timeout: 300_000 }, async (t) => {
    const seed = newSeed();
    t.diagnostic(`seed ${seed}`);
    const log = (line: string) => t.diagnostic(line);
    const sinks = DRILL_PLANS[plans].join(",");
    const random = seeded(seed);
    await drill({ cluster, guarantee, plans: sinks, records: 2000, random, outsider: "one", log });
  });
}
