import { pl, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// Two sources of one topic: with a time of its own each, and other columns. TEST_ORDERED: they also meet, so that they are read in one order.
const input = process.env.TEST_INPUT as string;
const output = process.env.TEST_OUTPUT as string;
const readings = { device: "Utf8", at: "Datetime(ms)", sent: "Datetime(ms)", x: "Float64", y: "Float64" };
const main = job({ name: "two-sources-job", schemas: { [input]: readings } });

const byTime = topic(input, { key: "device", time: "at" });
const bySent = topic(input, { key: "device", time: "sent" });
byTime.select("device", "at", "x").to(`${output}-x`, { key: "device" });
byTime
  .select("device", "at", "y")
  .map(
    (row) => {
      if (row.y === 13) throw new Error("y is 13");
      return { double: 2 * row.y };
    },
    { schema: { double: "Float64" }, keep: ["device"] },
  )
  .to(`${output}-y`, { key: "device" });
bySent.select("device", "sent", "x", "y").to(`${output}-sent`, { key: "device" });
if (process.env.TEST_ORDERED)
  byTime
    .select("device", "at", "x")
    .join(bySent.select("device", "sent", pl.col("y").alias("other")), {
      on: "device",
      within: "1s",
      grace: "1s",
    })
    .to(`${output}-both`, { key: "device" });

await main.run();
