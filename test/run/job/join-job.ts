import { table, topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job as `millrace promote` makes it: joins of two topics, and with a table.
const [input, other, devices] = ["TEST_INPUT", "TEST_OTHER", "TEST_DEVICES"].map((name) => process.env[name] as string);
const output = process.env.TEST_OUTPUT as string;
const schema = { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64", n: "Int64" };

const main = job({
  name: "join-job",
  schemas: { [input!]: schema, [other!]: schema, [devices!]: { model: "Utf8" } },
});

const options = { key: "device", time: "timestamp" };
const [phone, tablet] = [topic(input!, options), topic(other!, options).select("device", "timestamp", "n")];
phone.joinAsof(tablet, { on: "timestamp", by: "device" }).to(`${output}-nearest`, { key: "device" });
phone.join(tablet, { on: "device", within: "50ms", grace: "1s", how: "left" }).to(`${output}-pairs`, { key: "device" });
phone
  .join(table(devices!, { key: "device" }), { on: "device", how: "left", history: "1d" })
  .to(`${output}-models`, { key: "device" });

await main.run();
