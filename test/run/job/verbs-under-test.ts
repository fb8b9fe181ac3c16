import { pl, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job with a sink per verb that keeps state or changes the number of rows, over the topic that a test names.
const input = process.env.TEST_INPUT as string;
const output = process.env.TEST_OUTPUT as string;

const main = job({
  name: "verbs-under-test",
  schemas: { [input]: { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", y: "Float64", n: "Int64" } },
});

const phone = topic(input, { key: "device", time: "timestamp" });
const x = pl.col("x");
const tumbling = phone
  .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" })
  .agg(x.max().alias("max"), pl.len().alias("n"));

const verbs = {
  groupBy: phone.groupBy("device").agg(x.sum().alias("sum"), pl.col("n").nUnique().alias("different")),
  forgotten: phone.groupBy("device", { ttl: "30s" }).agg(pl.len().alias("rows")),
  unique: phone.withColumns(pl.col("n").modulo(3).alias("third")).unique({ subset: ["device", "third"], within: "2s" }),
  explode: phone.withColumns(pl.concatList([pl.col("n"), pl.col("n").plus(1)]).alias("list")).explode("list"),
  unnest: phone.withColumns(pl.struct([x.alias("a"), pl.col("n").alias("b")]).alias("pair")).unnest("pair"),
  sessions: phone
    .groupBySession({ by: "device", indexColumn: "timestamp", gap: "500ms", grace: "100ms" })
    .agg(pl.len().alias("n"), x.median().alias("median")),
  count: phone.groupByCount({ by: "device", every: 5, period: 7 }).agg(x.mean().alias("mean"), pl.col("n").last()),
  rolling: phone
    .groupByRolling({ indexColumn: "timestamp", by: "device", period: "200ms" })
    .agg(x.max().alias("max"), pl.len().alias("n")),
  hopping: phone
    .groupByDynamic({ indexColumn: "timestamp", every: "500ms", period: "2s", by: "device" })
    .agg(
      pl.col("n").first().alias("first"),
      x.quantile(0.9).alias("high"),
      pl.col("n").modulo(7).nUnique().alias("kinds"),
    ),
  days: phone
    .groupByDynamic({ indexColumn: "timestamp", every: "1d", timeZone: "Asia/Tokyo", by: "device" })
    .agg(pl.len().alias("n")),
  late: tumbling.late(),
  windowsOverWindows: tumbling
    .groupByDynamic({ indexColumn: "window_start", every: "3s", by: "device" })
    .agg(pl.col("n").sum().alias("rows"), pl.col("max").max().alias("max")),
  average: phone.withColumns(x.ewmMean(0.2).over("device").alias("average"), { ttl: "1h" }),
};
for (const [name, frame] of Object.entries(verbs)) frame.to(`${output}-${name}`, { key: "device" });

await main.run();
