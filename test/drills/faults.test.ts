import test, { before } from "node:test";
import type { Cluster } from "../../lib/log/index.ts";
import { connect } from "../run/job/support.ts";
import { newSeed, seeded } from "../support/seeded.ts";
import { farAheadDrill } from "./back-pressure.ts";
import type { Drill } from "./drill.ts";
import { clockDrill } from "./faults/clock.ts";
import { diskFullDrill, smallFileSystem } from "./faults/disk-full.ts";
import { expiredOffsetsDrill } from "./faults/expired-offsets.ts";
import { lockedFileDrill } from "./faults/locked-file.ts";
import { openTransactionDrill } from "./faults/open-transaction.ts";
import { recreatedTopicDrill } from "./faults/recreated-topic.ts";
import { stateFolderDrill } from "./faults/state-folder.ts";
import { DRILL_PLANS } from "./plans.ts";

// The short forms; `npm run drill` has the long ones, under both guarantees and with Kafka's own consumer as witness.
let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const trial = await smallFileSystem(1);
trial?.unmount();

const drills: Record<string, (drill: Drill) => Promise<void>> = {
  "the wall clock jumps": clockDrill,
  "the disk under the state folder is full": diskFullDrill,
  "another process has the state file open": lockedFileDrill,
  "the state folder is another worker's, then deleted": stateFolderDrill,
  "records were deleted before they were read": expiredOffsetsDrill,
  "the source is deleted and made again": recreatedTopicDrill,
  "another producer leaves a transaction open": openTransactionDrill,
  "a topic is far ahead of one that it is read in one order with": (drill) => farAheadDrill(drill, 300_000),
};

for (const [what, drill] of Object.entries(drills)) {
  const skip = drill === diskFullDrill && trial === undefined ? "mounting a file system needs root" : false;
  test(what, { timeout: 120_000, skip }, async (t) => {
    const seed = newSeed();
    t.diagnostic(`seed ${seed}`);
    await drill({
      cluster,
      guarantee: "exactly-once",
      plans: DRILL_PLANS.apart.join(","),
      records: 1000,
      random: seeded(seed),
      outsider: false,
      log: (line) => t.diagnostic(line),
    });
  });
}
