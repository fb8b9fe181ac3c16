// What the interpreter learns of the columns of real topics, and says before a cell runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatOf } from "../../../lib/format/index.ts";
import { pl, topic } from "../../../lib/index.ts";
import { testTopics } from "../../run/notebook/topics.ts";
import { startSchemaRegistry } from "../../support/schema-registry.ts";
import { session } from "./session.ts";

const { create, write } = await testTopics();
const name = await create("columns", 1);
await write(
  name,
  [1, 2, 3].map((n) => ({ key: "a", value: JSON.stringify({ device: "a", gForceX: n / 2 }), timestamp: n })),
);
const cells = await session();
// a cell waits for brokers only so long: on a busy machine the first connection may take longer
await topic(name).schema;

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

for (const format of ["avro", "protobuf"])
  test(`the registry types a topic of ${format}, also before its first record`, async (t) => {
    const registry = await startSchemaRegistry();
    process.env.SCHEMA_REGISTRY_URL = registry.url;
    t.after(() => registry.stop());
    for (const records of [2, 0]) {
      const typed = await create(`typed-${format}`, 1);
      const frame = pl.DataFrame({ sku: ["s1", "s2"], price: [1.5, 2.5], count: [3, 4] });
      const { bytes, starts, ends } = formatOf(format).encode(frame, frame.columns, typed);
      const values = Array.from({ length: records }, (_, i) => bytes.subarray(starts[i], ends[i]));
      await write(
        typed,
        values.map((value, timestamp) => ({ key: "k", value, timestamp })),
      );
      const wrong = await cells.run(
        `import { pl, topic } from "millrace";\nconst orders = topic("${typed}", { format: "${format}" });\norders.filter(pl.col("prize").gt(1)); 1`,
      );
      assert.match(
        wrong.traceback,
        /UNKNOWN_COLUMN: there is no column "prize" here: did you mean "price"\?\n +the columns are "sku", "price", "count"/,
      );
      const opened = await cells.run(
        `import { pl, topic } from "millrace"; const orders = topic("${typed}", { format: "${format}" }); 1`,
      );
      assert.equal(opened.end.status, "ok", opened.traceback);
      const inRows = await cells.run(
        'orders.map((row) => ({ worth: row.price * row.coun }), { schema: { worth: "Float64" } }); 1',
      );
      assert.match(inRows.traceback, /no column "coun" here: did you mean "count"\?/);
      const begun = 'orders.select(pl.col("';
      const { items } = await cells.interpreter.language.complete(begun, begun.length);
      assert.deepEqual(items, [
        { text: "sku", type: "Utf8" },
        { text: "price", type: "Float64" },
        { text: "count", type: "Float64" },
      ]);
    }
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
