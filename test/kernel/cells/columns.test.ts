// What the interpreter learns of the columns of real topics, and says before a cell runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { testTopics } from "../../run/notebook/topics.ts";
import { session } from "./session.ts";

const { create, write } = await testTopics();
const name = await create("columns", 1);
await write(
  name,
  [1, 2, 3].map((n) => ({ key: "a", value: JSON.stringify({ device: "a", gForceX: n / 2 }), timestamp: n })),
);
const cells = await session();

test("the topic is sampled before its own cell runs", async () => {
  const { end, traceback } = await cells.run(
    `import { pl, topic } from "millrace";\nlet ran = 1;\nconst phone = topic("${name}", { key: "device" });\nphone.filter(pl.col("gForcX").gt(1)).to("x");`,
  );
  assert.equal(end.status, "error");
  assert.match(
    traceback,
    /cell 1:4:21 - error UNKNOWN_COLUMN: there is no column "gForcX" here: did you mean "gForceX"\?/,
  );
  assert.match(traceback, /~~~~~~~~/);
  assert.match((await cells.run("typeof ran")).traceback, /Cannot find name 'ran'/, "the cell did not run");
});

test("frames of earlier cells are known, whatever they were made by", async () => {
  await cells.run(`import { pl, topic } from "millrace"; const phone = topic("${name}", { key: "device" });`);
  await cells.run(
    'const doubled = ["gForceX"].reduce((f, c) => f.withColumns(pl.col(c).mul(2).alias(c + "2")), phone);',
  );
  const right = await cells.run('doubled.filter(pl.col("gForceX2").gt(1)); 1');
  assert.equal(right.end.status, "ok", right.traceback);
  const wrong = await cells.run('doubled.filter(pl.col("gForceX3").gt(1)); 1');
  assert.match(wrong.traceback, /did you mean "gForceX"\?\n +the columns are "device", "gForceX", "gForceX2"/);
});

test("where there is no broker cells are not held up", async () => {
  process.env.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1";
  const began = performance.now();
  const { end, traceback } = await cells.run('const away = topic("away"); away.filter(pl.col("anything").gt(1)); 1');
  assert.equal(end.status, "ok", traceback);
  const again = await cells.run('away.filter(pl.col("anything").gt(1)); 2');
  assert.equal(again.end.status, "ok", again.traceback);
  assert.ok(performance.now() - began < 5000, `${performance.now() - began} ms`);
});
