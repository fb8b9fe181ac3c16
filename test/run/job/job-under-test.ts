import { pl, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job as `millrace promote` makes it, over the topics that a test names.
const input = process.env.TEST_INPUT as string;
const output = process.env.TEST_OUTPUT as string;
const plans = (process.env.TEST_PLANS ?? "stateless,delta,windows").split(",");

const main = job({
  name: "job-under-test",
  schemas: { [input]: { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", y: "Float64", n: "Int64" } },
});

const phone = topic(input, { key: "device", time: "timestamp" });
const total = phone.withColumns(pl.col("x").abs().plus(pl.col("y").abs()).alias("total"));
if (plans.includes("stateless")) total.filter(pl.col("total").gt(1)).to(`${output}-stateless`, { key: "device" });
if (plans.includes("delta"))
  total
    .withColumns(pl.col("total").diff(1, "ignore").over("device").alias("delta"))
    .to(`${output}-delta`, { key: "device" });
if (plans.includes("windows"))
  total
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", grace: "0s" })
    .agg(pl.col("total").mean().alias("mean"), pl.col("total").max().alias("max"), pl.len().alias("count"))
    .to(`${output}-windows`, { key: "device" });
// by a key that is not the record key: rows are placed anew
const bucketed = phone.withColumns(pl.col("n").modulo(5).alias("bucket"));
if (plans.includes("anew"))
  bucketed
    .withColumns(pl.col("x").diff(1, "ignore").over("bucket").alias("delta"))
    .to(`${output}-anew`, { key: "bucket" });
if (plans.includes("anew-windows"))
  bucketed
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "bucket", grace: "1s" })
    .agg(pl.col("n").sum().alias("sum"), pl.col("n").last().alias("last"), pl.len().alias("count"))
    .to(`${output}-anew-windows`, { key: "bucket" });

await main.run();
