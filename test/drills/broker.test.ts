import test, { after, before } from "node:test";
import { newSeed, seeded } from "../support/seeded.ts";
import { backPressureDrill } from "./back-pressure.ts";
import { brokerBehindNetwork } from "./broker-behind-network.ts";
import { brokerKillDrill } from "./broker-kill.ts";
import type { BrokerDrill } from "./drill.ts";
import { notLeaderDrill, produceTimeoutsDrill, unreachableDrill } from "./network-faults.ts";
import { DRILL_PLANS, type DrillPlans } from "./plans.ts";
import { slowCommitsDrill } from "./slow-commits.ts";
import type { Guarantee } from "./verify.ts";

// Faults of the broker and of the way to it, in short, on a broker of their own; `npm run drill` has the long forms.
let world: Awaited<ReturnType<typeof brokerBehindNetwork>>;
before(async () => {
  world = await brokerBehindNetwork();
});
after(() => world?.close());

const drills: [string, Guarantee, DrillPlans, (drill: BrokerDrill) => Promise<void>][] = [
  ["the broker is killed and restarted", "at-least-once", "apart", (drill) => brokerKillDrill(drill, 2)],
  ["the broker cannot be reached for a while", "exactly-once", "joined", (drill) => unreachableDrill(drill, 4000)],
  ["answers to produce requests come too late", "exactly-once", "apart", (drill) => produceTimeoutsDrill(drill, 1)],
  ["killed while a commit takes long", "at-least-once", "apart", (drill) => slowCommitsDrill(drill, 2)],
  ["answers say NOT_LEADER although it was written", "exactly-once", "apart", (drill) => notLeaderDrill(drill, 5)],
  ["the way out is slow", "exactly-once", "apart", (drill) => backPressureDrill(drill, 150, 2e6, 60)],
];

for (const [what, guarantee, plans, drill] of drills) {
  test(what, { timeout: 180_000 }, async (t) => {
    const seed = newSeed();
    t.diagnostic(`seed ${seed}`);
    const log = (line: string) => t.diagnostic(line);
    const sinks = DRILL_PLANS[plans].join(",");
    await drill({ ...world, guarantee, plans: sinks, records: 1000, random: seeded(seed), outsider: false, log });
  });
}
