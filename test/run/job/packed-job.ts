import { pl, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// Telemetry whose messages hold many rows, as windows over them (no row is made) and as rows.
const input = process.env.TEST_INPUT as string;
const output = process.env.TEST_OUTPUT as string;

const main = job({
  name: "packed-job",
  schemas: { [input]: { channel: "Int32", timestamp: "Datetime(ms)", value: "Float32" } },
});

const car = topic(input, { format: "arrow", key: "unit", time: "timestamp" });
const value = pl.col("value");
car
  .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: ["unit", "channel"], grace: "2s" })
  .agg(pl.len().alias("n"), value.mean().alias("mean"), value.min().alias("min"), value.max().alias("max"))
  .to(`${output}-seconds`, { key: "unit" });
car.filter(value.gt(65)).to(`${output}-high`, { key: "unit" });

await main.run();
