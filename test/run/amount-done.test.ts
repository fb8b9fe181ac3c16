import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { amountText, showAmounts } from "../../lib/run/amount-done.ts";
import { readText } from "../../lib/run/notebook/progress.ts";
import { temporaryFolder } from "./job/support.ts";

const cases: readonly [done: number, total: number, seconds: number, text: string][] = [
  [40_000, 100_000, 2, "replaying: 40,000 of 100,000 records, 20,000 records/s, 3 s left"],
  [1000, 1_000_000, 1, "replaying: 1,000 of 1,000,000 records, 1,000 records/s, 17 min left"],
  [10, 1_000_000, 1, "replaying: 10 of 1,000,000 records, 10 records/s, 27.8 h left"],
  [0, 5, 1, "replaying: 0 of 5 records, 0 records/s"],
  [5, 5, 0, "replaying: 5 of 5 records, 5,000 records/s"],
];
for (const [done, total, seconds, text] of cases)
  test(`how far: ${text}`, () => assert.equal(amountText({ what: "replaying", done, total, seconds }), text));

test("how far, of something else than records", () => {
  const text = "making: 10 of 40 files, 5 files/s, 6 s left";
  assert.equal(amountText({ what: "making", done: 10, total: 40, of: "files", seconds: 2 }), text);
});

for (const [records, total, lag, seconds, text] of [
  [400, 1000, 600, 2, "reading: 400 of 1,000 offsets, 400 records in 2.0 s, 200 records/s, 3 s left"],
  // of transactions and compacted topics offsets are more than records
  [10, 1000, 500, 1, "reading: 500 of 1,000 offsets, 10 records in 1.0 s, 10 records/s, 1 s left"],
  [0, 1000, 1000, 1, "reading: 0 of 1,000 offsets, 0 records in 1.0 s, 0 records/s"],
  [1000, 1000, 0, 4, "reading: 1,000 of 1,000 offsets, 1,000 records in 4.0 s, 250 records/s"],
  [0, 0, 0, 1, "reading: 0 of 0 offsets, 0 records in 1.0 s, 0 records/s"],
] as const)
  test(`how far a read is: ${text}`, () => assert.equal(readText("reading", { records, total, lag }, seconds), text));

test("a child process tells how far it is; without anybody to tell it says nothing", async () => {
  const file = path.join(await temporaryFolder(), "child.ts");
  const url = pathToFileURL(path.join(import.meta.dirname, "../../lib/run/amount-done.ts")).href;
  await writeFile(
    file,
    `const { AmountTeller } = await import(${JSON.stringify(url)});
const teller = new AmountTeller("counting", 30);
for (let i = 1; i <= 3; i++) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  teller.update(i * 10);
}
process.disconnect();
teller.update(31);
`,
  );
  const child = fork(file);
  const lines: string[] = [];
  showAmounts(child, (line) => lines.push(line), 0);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  assert.equal(code, 0);
  assert.deepEqual(
    lines.map((line) => line.replace(/[\d,]+ records\/s.*/, "…")),
    ["counting: 10 of 30 records, …", "counting: 20 of 30 records, …", "counting: 30 of 30 records, …"],
  );
});
