import { pl, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// Readings beside the newest window that their device was the last of: windows by another key, placed by the device again.
const input = process.env.TEST_INPUT as string;
const output = process.env.TEST_OUTPUT as string;
const schema = { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", n: "Int64" };
const main = job({ name: "meets-itself-job", schemas: { [input]: schema } });

export const besideWindows = (name: string) => {
  const phones = topic(name, { key: "device", time: "timestamp", schema });
  const windows = phones
    .withColumns(pl.col("n").modulo(7).alias("group"))
    .groupByDynamic({ indexColumn: "timestamp", every: "100ms", by: "group", grace: "50ms" })
    .agg(pl.col("device").last().alias("device"), pl.len().alias("rows"));
  return phones
    .select("device", "timestamp", "n")
    .joinAsof(windows.select("device", "group", "rows"), { by: "device" });
};
besideWindows(input).to(output, { key: "device" });

if (process.argv[1] === import.meta.filename) await main.run();
