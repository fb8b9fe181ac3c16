// A promotion and a replay that take a while say how far they are, how fast they go and how long they will still take.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { feedPhones } from "./phones.ts";
import { millrace } from "./run-command.ts";

const RECORDS = 3000;
/** Each record takes a while. */
const SLOW = `const slow = phones.map((row) => {
  for (const end = performance.now() + 2; performance.now() < end; );
  return { seen: true };
}, { schema: { seen: "Boolean" }, keep: ["device"] });`;

/** Of all records, in lines like this. */
function amounts(stderr: string, what: string): number[] {
  const line = new RegExp(`^${what}: ([\\d,]+) of 3,000 records, [\\d,]+ records/s, \\d+ (?:s|min) left$`, "gm");
  return [...stderr.matchAll(line)].map(([, done]) => Number(done!.replaceAll(",", "")));
}

test("promote and replay", async () => {
  const servers = await sharedBroker();
  const [topic, out] = [uniqueName("phones"), uniqueName("out")];
  await feedPhones(servers, topic, RECORDS);
  const folder = await temporaryFolder();
  const [book, job] = [path.join(folder, "slow.ipynb"), path.join(folder, "job")];
  const cells = [
    `import { topic } from "millrace";\nconst phones = topic(${JSON.stringify(topic)}, { key: "device" });`,
    "await phones.collect();",
    SLOW,
    `const sink = slow.to(${JSON.stringify(out)}, { key: "device" });`,
  ];
  await writeFile(book, notebookText(cells));
  const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
  const ran = await millrace(["run", book], { env });
  assert.equal(ran.code, 0, ran.stderr);
  const promoted = await millrace(["promote", book, "--out", job], { env });
  assert.equal(promoted.code, 0, promoted.stderr);
  const replayed = await millrace(["replay", job]);
  assert.equal(replayed.code, 0, replayed.stderr);
  for (const [stderr, what] of [
    [promoted.stderr, `computing the rows of ${out}`],
    [replayed.stderr, "replaying"],
  ] as const) {
    const done = amounts(stderr, what);
    assert.ok(done.length >= 1 && done.every((one) => one > 0 && one < RECORDS), stderr);
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
    );
  }
});
