import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Sink } from "../../lib/frame/sink.ts";
import { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { driver } from "../../lib/test/driver.ts";
import { NAMES, TOPICS } from "./example-records.ts";

/** What reads or writes by itself, or only shows: it runs against a broker in the tests of the notebook. */
const NOT_VERBS = new Set([
  "collect",
  "live",
  "plot",
  "batches",
  "toTable",
  "toParquet",
  "explain",
  "profile",
  "lateness",
  "trace",
  "constructor",
]);
const source = readFileSync(new URL("../../lib/frame/stream-frame.ts", import.meta.url), "utf8");
const METHOD = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(?:async )?(\w+)[<(]/g;

interface Example {
  readonly code: string;
  /** The lines of comment that it ends with: the table of what it gives. */
  readonly output: string;
}

const examples = new Map<string, Example>();
for (const [, comment, verb] of source.matchAll(METHOD)) {
  const lines = comment!.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
  const start = lines.indexOf("@example");
  if (start < 0) continue;
  const body = lines.slice(start + 1).filter((line) => line.trim() !== "");
  const output = body.filter((line) => line.startsWith("// "));
  const code = body.filter((line) => !line.startsWith("// "));
  examples.set(verb!, { code: code.join("\n"), output: output.map((line) => line.slice(3)).join("\n") });
}

const verbs = Object.getOwnPropertyNames(StreamFrame.prototype).filter(
  (name) =>
    !NOT_VERBS.has(name) && typeof Object.getOwnPropertyDescriptor(StreamFrame.prototype, name)!.value === "function",
);

test("every verb of a frame has an example", () => {
  assert.deepEqual(
    verbs.filter((verb) => !examples.has(verb)),
    [],
  );
});

for (const verb of verbs)
  test(`the example of ${verb} gives what it says`, async () => {
    const { code, output } = examples.get(verb)!;
    // direct eval: the value of the last statement, with the names in sight
    const evaluate = new Function(...Object.keys(NAMES), `return eval(${JSON.stringify(code)})`);
    const frame = evaluate(...Object.values(NAMES)) as StreamFrame | Sink;
    assert.ok(frame instanceof StreamFrame || frame instanceof Sink, `${code} is a frame or a sink`);
    const run = driver(frame);
    const read = [...new Set(sourcesOf([frame.node]).flatMap(({ topics }) => topics))];
    for (const name of read) await run.feed(name, TOPICS[name]!.records);
    await run.end();
    assert.deepEqual(run.bad, []);
    assert.equal(run.table(), output.trimEnd());
  });
