import { randomInt } from "node:crypto";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { seeded } from "../support/seeded.ts";
import { brokerBehindNetwork } from "./broker-behind-network.ts";
import type { BrokerDrill } from "./drill.ts";
import { DRILL_PLANS } from "./plans.ts";

const HELP = `npm run drill -- [options]
  Faults and loads against real jobs and a real broker, checked record by record. Without options all of them, which takes hours.
  --only a,b          three-workers, kill-nine, paused-worker, rebalance, standby, large-state, soak, back-pressure, far-ahead, broker-kill,
                      unreachable, produce-timeouts, slow-commits, not-leader, clock, disk-full, locked-file, state-folder, expired-offsets, recreated-topic, open-transaction
  --guarantee G       exactly-once or at-least-once; both by default
  --plans P           ${Object.keys(DRILL_PLANS).join(", ")}; all by default
  --kills N           how often a process is killed (30)
  --records N         of the input, where a drill has one of its own (5000)
  --gigabytes N       state of the standby drill (1)
  --millions N        keys of the large-state drill (20)
  --minutes N         of the soak (10)
  --rate N            MB a second that what a job writes passes at, in the soak (as fast as it goes) and in back-pressure (5)
  --megabytes N       input of back-pressure (1000)
  --seed N            of a run to be repeated`;

const { values } = parsed({
  options: {
    help: { type: "boolean", short: "h" },
    kills: { type: "string", default: "30" },
    guarantee: { type: "string" },
    plans: { type: "string" },
    only: { type: "string" },
    seed: { type: "string" },
    records: { type: "string", default: "5000" },
    gigabytes: { type: "string", default: "1" },
    millions: { type: "string", default: "20" },
    minutes: { type: "string", default: "10" },
    rate: { type: "string" },
    megabytes: { type: "string", default: "1000" },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
/** As `parseArgs`; what it does not know ends the process in one line. */
function parsed<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    refuse((error as Error).message);
  }
}

/** Nothing is run by half: a drill that is not there would be one that never fails. */
function refuse(what: string): never {
  console.error(`${what}\nnpm run drill -- --help names the options`);
  process.exit(2);
}

const GUARANTEES = ["exactly-once", "at-least-once"] as const;
for (const [flag, known] of [
  ["plans", Object.keys(DRILL_PLANS)],
  ["guarantee", GUARANTEES],
] as const)
  if (values[flag] !== undefined && !(known as readonly string[]).includes(values[flag]))
    refuse(`--${flag}: "${values[flag]}" is none of ${known.join(", ")}.`);

const world = await brokerBehindNetwork();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    console.error(`${signal}: ending the broker`);
    void world.close().finally(() => process.exit(130)); // the jobs end with this process's hooks, or by themselves without their broker
  });
process.env.MILLRACE_TEST_BROKER = world.broker.bootstrapServers;

const { killNineDrill } = await import("./kill-nine.ts");
const { threeWorkersDrill } = await import("./three-workers.ts");
const { backPressureDrill, farAheadDrill } = await import("./back-pressure.ts");
const { brokerKillDrill } = await import("./broker-kill.ts");
const { pausedWorkerDrill } = await import("./paused-worker.ts");
const { slowCommitsDrill } = await import("./slow-commits.ts");
const network = await import("./network-faults.ts");
const { clockDrill } = await import("./faults/clock.ts");
const { diskFullDrill } = await import("./faults/disk-full.ts");
const { lockedFileDrill } = await import("./faults/locked-file.ts");
const { expiredOffsetsDrill } = await import("./faults/expired-offsets.ts");
const { recreatedTopicDrill } = await import("./faults/recreated-topic.ts");
const { openTransactionDrill } = await import("./faults/open-transaction.ts");
const { stateFolderDrill } = await import("./faults/state-folder.ts");
const { rebalanceDrill } = await import("./rebalance.ts");
const { largeStateDrill, soakDrill } = await import("./memory.ts");
const { standbyDrill } = await import("./standby.ts");

const kills = Number(values.kills);
const drills: Record<string, (drill: BrokerDrill) => Promise<unknown>> = {
  "three-workers": (drill) => threeWorkersDrill(drill, kills),
  "kill-nine": (drill) => killNineDrill(drill, kills),
  "paused-worker": pausedWorkerDrill,
  rebalance: (drill) => rebalanceDrill(drill, Math.max(2, Math.ceil(kills / 10))),
  standby: (drill) => standbyDrill(drill, Number(values.gigabytes)),
  "large-state": (drill) => largeStateDrill(drill, Number(values.millions)),
  soak: (drill) => soakDrill(drill, Number(values.minutes), Number(values.rate ?? 0) * 1e6),
  "back-pressure": (drill) => backPressureDrill(drill, Number(values.megabytes), Number(values.rate ?? 5) * 1e6, 1000),
  "far-ahead": (drill) => farAheadDrill(drill, 2_000_000),
  "broker-kill": (drill) => brokerKillDrill(drill, Math.max(3, Math.ceil(kills / 5))),
  unreachable: (drill) => network.unreachableDrill(drill, 60_000),
  "slow-commits": (drill) => slowCommitsDrill(drill, 6),
  "produce-timeouts": (drill) => network.produceTimeoutsDrill(drill, 5),
  "not-leader": (drill) => network.notLeaderDrill(drill, 50),
  clock: clockDrill,
  "disk-full": diskFullDrill,
  "locked-file": lockedFileDrill,
  "state-folder": stateFolderDrill,
  "expired-offsets": expiredOffsetsDrill,
  "recreated-topic": recreatedTopicDrill,
  "open-transaction": openTransactionDrill,
};
const unknown = (values.only?.split(",") ?? []).filter((name) => !(name in drills));
if (unknown.length > 0) {
  await world.close();
  refuse(`--only: ${unknown.join(", ")}: no such drill.`);
}
/** What is the same whatever a job computes. */
const ANY_PLANS = ["standby", "large-state", "back-pressure", "far-ahead", "recreated-topic"];
/** While a topic is held back others go ahead of it, which `all` is not certain under. */
const NOT_ALL = ["open-transaction"];

try {
  for (const guarantee of GUARANTEES) {
    if (values.guarantee !== undefined && values.guarantee !== guarantee) continue;
    for (const [name, drill] of Object.entries(drills)) {
      if (values.only !== undefined && !values.only.split(",").includes(name)) continue;
      for (const [plans, sinks] of Object.entries(DRILL_PLANS)) {
        if (values.plans !== undefined && values.plans !== plans) continue;
        if (plans === "all" && NOT_ALL.includes(name)) continue;
        if (plans !== (values.plans ?? "apart") && ANY_PLANS.includes(name)) continue;
        const seed = Number(values.seed ?? randomInt(2 ** 31));
        console.log(`${name}, ${guarantee}, plans ${plans}, seed ${seed}`);
        const began = performance.now();
        await drill({
          ...world,
          guarantee,
          plans: sinks.join(","),
          records: Number(values.records),
          random: seeded(seed),
          outsider: true,
          log: console.log,
        });
        const seconds = Math.round((performance.now() - began) / 1000);
        console.log(`${name}, ${guarantee}, ${plans}: nothing lost, nothing wrong (${seconds} s)`);
      }
    }
  }
} finally {
  await world.close();
}
