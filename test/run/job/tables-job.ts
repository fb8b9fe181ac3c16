import { pl, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job whose results are tables: every row, the last per a key that is not the record's, and running groups. It writes no topic.
const input = process.env.TEST_INPUT as string;

const main = job({
  name: "tables-job",
  schemas: { [input]: { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", y: "Float64", n: "Int64" } },
});

const phone = topic(input, { key: "device", time: "timestamp" });
phone.filter(pl.col("n").modulo(3).eq(0)).select("device", "n").toTable("thirds");
phone.select("timestamp", pl.col("n").modulo(5).alias("größe"), "n").toTable("newest", { key: "größe" });
phone.groupBy("device").agg(pl.col("n").max().alias("most"), pl.len().alias("readings")).toTable("devices");

await main.run();
