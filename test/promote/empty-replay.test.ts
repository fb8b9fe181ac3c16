import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { feedPhones } from "./phones.ts";
import { millrace } from "./run-command.ts";

test("a replay without a row says that it proves nothing", async () => {
  const env = { KAFKA_BOOTSTRAP_SERVERS: await sharedBroker() };
  const [topic, none, all] = [uniqueName("phones"), uniqueName("none"), uniqueName("all")];
  await feedPhones(env.KAFKA_BOOTSTRAP_SERVERS, topic, 100);
  const folder = await temporaryFolder();
  const [book, job] = [path.join(folder, "empty.ipynb"), path.join(folder, "job")];
  const cells = [
    `import { pl, topic } from "millrace";\nconst phones = topic(${JSON.stringify(topic)}, { key: "device" });`,
    "await phones.collect();",
    `phones.filter(pl.col("device").eq(pl.lit("nobody"))).to(${JSON.stringify(none)}, { key: "device" });`,
    `phones.to(${JSON.stringify(all)}, { key: "device" });`,
  ];
  await writeFile(book, notebookText(cells));
  for (const args of [
    ["run", book],
    ["promote", book, "--out", job],
  ]) {
    const { code, stderr } = await millrace(args, { env });
    assert.equal(code, 0, stderr);
  }
  const { code, stdout } = await millrace(["replay", job]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, new RegExp(`${none}: no row, in the notebook as in the job: this proves nothing`));
  assert.match(stdout, new RegExp(`${all}: 100 rows, as the notebook computed them`));
});
