import { pl, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job whose results are files: rows as they come, windows, and windows of rows that were placed anew. It writes no topic.
const input = process.env.TEST_INPUT as string;

const main = job({
  name: "files-job",
  schemas: { [input]: { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", y: "Float64", n: "Int64" } },
});

const phone = topic(input, { key: "device", time: "timestamp" });
const perSecond = (by: string) => ({ indexColumn: "timestamp", every: "1s", by, grace: "1s" });
const plans = (process.env.TEST_PLANS ?? "rows").split(",");
if (plans.includes("rows"))
  phone.filter(pl.col("n").modulo(3).neq(0)).select("device", "n", "_offset").toParquet("rows");
if (plans.includes("windows"))
  phone.groupByDynamic(perSecond("device")).agg(pl.col("n").sum().alias("sum")).toParquet("./deep/windows/");
if (plans.includes("anew"))
  phone
    .withColumns(pl.col("n").modulo(5).alias("bucket"))
    .groupByDynamic(perSecond("bucket"))
    .agg(pl.col("n").sum().alias("sum"), pl.len().alias("count"))
    .toParquet("anew");
if (plans.includes("twice")) phone.select("n").toParquet("rows/");

await main.run();
