import { pl, table, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job as `millrace promote` makes it, over the topics that a test names.
const input = process.env.TEST_INPUT as string;
const output = process.env.TEST_OUTPUT as string;
const plans = (process.env.TEST_PLANS ?? "stateless,delta,windows").split(",");

const readings = { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", y: "Float64", n: "Int64" };
const main = job({
  name: "job-under-test",
  schemas: { [input]: readings, [`${input}-other`]: readings, [`${input}-models`]: { model: "Utf8" } },
  ...(process.env.TEST_WARM && { warm: JSON.parse(process.env.TEST_WARM) }),
});

const phones = { key: "device", time: "timestamp" };
const phone = topic(input, phones);
const sums = phone.withColumns(pl.col("x").abs().plus(pl.col("y").abs()).alias("total"));
// changed plans, for tests of what becomes of state
const total = process.env.TEST_FILTER ? sums.filter(pl.col("x").gt(-1)) : sums;
if (plans.includes("stateless")) total.filter(pl.col("total").gt(1)).to(`${output}-stateless`, { key: "device" });
if (plans.includes("delta"))
  total
    .withColumns(
      pl
        .col("total")
        .diff(1, "ignore")
        .over("device")
        .alias(process.env.TEST_DELTA ?? "delta"),
    )
    .to(`${output}-delta`, { key: "device" });
if (plans.includes("windows"))
  total
    .groupByDynamic({ indexColumn: "timestamp", every: process.env.TEST_EVERY ?? "1s", by: "device", grace: "0s" })
    .agg(pl.col("total").mean().alias("mean"), pl.col("total").max().alias("max"), pl.len().alias("count"))
    .to(`${output}-windows`, { key: "device" });
if (plans.includes("ttl"))
  phone
    .withColumns(pl.col("x").diff(1, "ignore").over("device").alias("step"), { ttl: "2s" })
    .filter(pl.col("step").gt(1000)) // only the state is of interest
    .to(`${output}-ttl`, { key: "device" });
if (plans.includes("table")) phone.groupBy("device").agg(pl.len().alias("readings")).toTable("readings");
if (plans.includes("idle"))
  phone
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", idle: "1s" })
    .agg(pl.len().alias("count"), pl.col("n").max().alias("last"))
    .to(`${output}-idle`, { key: "device" });
if (plans.includes("sessions"))
  phone
    .groupBySession({ by: "device", indexColumn: "timestamp", gap: "40ms" })
    .agg(pl.len().alias("count"), pl.col("n").last().alias("last"), pl.col("x").max().alias("max"))
    .to(`${output}-sessions`, { key: "device" });
// rows of one topic that meet each other: their order depends on nothing else
if (plans.includes("halves"))
  phone
    .filter(pl.col("n").modulo(2).eq(0))
    .join(phone.filter(pl.col("n").modulo(2).eq(1)).select("device", "timestamp", "n"), {
      on: "device",
      within: "15ms",
      grace: "1s",
      how: "left",
    })
    .to(`${output}-halves`, { key: "device" });
// topics that are read in one order, and nothing else
if (plans.includes("both"))
  phone
    .concat(topic(`${input}-other`, phones))
    .filter(pl.col("n").modulo(100).eq(0))
    .to(`${output}-both`, { key: "device" });
// rows of two topics: a live job waits a second for the slower one, so only what lateness cannot touch is certain
const pairs = phone.join(topic(`${input}-other`, phones).select("device", "timestamp", "n"), {
  on: "device",
  within: "10ms",
  grace: "1h",
});
if (plans.includes("pairs")) pairs.to(`${output}-pairs`, { key: "device" });
if (plans.includes("models"))
  phone
    .join(table(`${input}-models`, { key: "device" }), { on: "device", how: "left", history: "1d" })
    .to(`${output}-models`, { key: "device" });
// by a key that is not the record key: rows are placed anew
const bucketed = phone.withColumns(pl.col("n").modulo(5).cast(pl.Int64).alias("bucket"));
if (plans.includes("anew"))
  bucketed
    .withColumns(pl.col("x").diff(1, "ignore").over("bucket").alias("delta"))
    .to(`${output}-anew`, { key: "bucket" });
if (plans.includes("anew-windows"))
  bucketed
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "bucket", grace: "1s" })
    .agg(pl.col("n").sum().alias("sum"), pl.col("n").last().alias("last"), pl.len().alias("count"))
    .to(`${output}-anew-windows`, { key: "bucket" });
// what met, placed by another key: which pair came first is not certain, what a window holds in the end is
if (plans.includes("pairs-anew"))
  pairs
    .withColumns(pl.col("n").modulo(5).cast(pl.Int64).alias("bucket"))
    .groupByDynamic({ indexColumn: "_time", every: "1s", by: "bucket", grace: "1h", emit: "update" })
    .agg(pl.col("n").sum().alias("sum"), pl.col("n_right").sum().alias("sum_right"), pl.len().alias("count"))
    .to(`${output}-pairs-anew`, { key: "bucket" });

await main.run();
