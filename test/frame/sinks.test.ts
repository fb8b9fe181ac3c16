import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredSinks, statementsRunOnce } from "../../lib/frame/driver.ts";
import { topic } from "../../lib/frame/topic.ts";
import { driver } from "../../lib/test/driver.ts";

const schema = { device: "Utf8", x: "Float64" };
const phones = topic("phones", { key: "device", schema });
const times = (factor: number) =>
  phones.map((row) => ({ y: row.x * factor }), { schema: { y: "Float64" } }).to("scaled");

test("in a notebook, where a cell runs again, sinks of equal text are one", () => {
  assert.equal(times(2).node.id, times(2).node.id);
});

test("in a job, sinks of equal text but other closures are two, the same on every start", async () => {
  statementsRunOnce();
  const before = declaredSinks().length;
  const sinks = [times(10), times(100), times(1000)];
  const [first] = sinks.map(({ node }) => node.id.replace(/-\d$/, ""));
  assert.deepEqual(
    sinks.map(({ node }) => node.id),
    // the one of the notebook above has the plain id
    [`${first}-2`, `${first}-3`, `${first}-4`],
  );
  assert.equal(declaredSinks().length, before + 3);
  const run = driver(sinks);
  await run.feed([{ device: "a", x: 1 }]);
  assert.deepEqual(
    sinks.map((sink) => run.rows(sink).getColumn("y").toArray()),
    [[10], [100], [1000]],
  );
});

test("in a job, the same sink declared again is one", () => {
  const before = phones.select("x");
  assert.equal(before.to("again").node.id, before.to("again").node.id);
});
