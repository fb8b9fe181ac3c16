import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { linesDigest, shownDigest } from "../../lib/run/replay/shown-digest.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { feedPhones } from "./phones.ts";
import { millrace, millraceAgain } from "./run-command.ts";

test("a digest of rows knows no order and no last digits of floats; everything else counts", () => {
  const of = (...rows: string[]) => shownDigest(rows).sha256;
  assert.equal(of('{"a":1.0}', '{"a":2.5}'), of('{"a":2.5000000000001}', '{"a":0.9999999999999999}'));
  assert.notEqual(of('{"a":1.0}'), of('{"a":1.0}', '{"a":1.0}'));
  assert.notEqual(of('{"a":1700000000001}'), of('{"a":1700000000002}'));
  assert.notEqual(of('{"a":"1.00000001"}'), of('{"a":"1.00000002"}'));
  assert.notEqual(of('{"a":1e300}'), of('{"a":1e301}'));
  assert.notEqual(of('{"a":null}'), of('{"a":0.0}'));
  assert.deepEqual(
    linesDigest('{"key":"x,\\"value\\":","value":{"a":2.0}}\n{"key":null,"value":{"a":1.0}}\n'),
    shownDigest(['{"a":1.0}', '{"a":2.0}']),
  );
});

test("what a cell showed of a sink's rows is held against the job's, also where code closes over what has changed since; replay says whose rows they are", {
  timeout: 300_000,
}, async () => {
  const servers = await sharedBroker();
  const [source, sink, sums] = [uniqueName("phones"), uniqueName("scaled"), uniqueName("sums")];
  await feedPhones(servers, source, 2000);
  const folder = await temporaryFolder();
  const [notebook, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
  await writeFile(path.join(folder, "factor.txt"), "2");
  await writeFile(
    notebook,
    notebookText([
      `import { pl, topic } from "millrace";\nimport { readFileSync } from "node:fs";\nconst phone = topic(${JSON.stringify(source)}, { key: "device", time: "timestamp" });`,
      'const factor = Number(readFileSync("factor.txt", "utf8"));\nconst scaled = phone.map(({ gForceX }) => ({ x: factor * gForceX! }), { schema: { x: "Float64" }, keep: ["device", "timestamp"] });',
      "const all = await scaled.collect();\nall.height",
      `scaled.to(${JSON.stringify(sink)}, { key: "device" });`,
      `const perSecond = scaled.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", grace: "0s" }).agg(pl.col("x").mean().alias("mean"));\nperSecond.to(${JSON.stringify(sums)});\n(await perSecond.collect()).height`,
    ]),
  );
  const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
  const run = (...args: string[]) => (args[0] === "promote" ? millraceAgain : millrace)(args, { env });
  const ran = await run("run", notebook);
  assert.equal(ran.code, 0, ran.stderr);
  const promoted = await run("promote", notebook, "--out", job);
  assert.equal(promoted.code, 0, promoted.stderr);
  const { recorded } = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
  assert.deepEqual([recorded.expected[sink].shownBy, recorded.expected[sums].shownBy], [3, 5]);
  const replayed = await run("replay", job);
  assert.equal(replayed.code, 0, replayed.stdout);
  assert.match(replayed.stdout, new RegExp(`${sink}: as cell 3 showed them[\\s\\S]*${sums}: as cell 5 showed them`));

  // another plan's text would differ; this one's is the same, and what it closes over is not
  await writeFile(path.join(folder, "factor.txt"), "3");
  for (const more of [[], ["--check"]]) {
    const { code, stderr } = await run("promote", notebook, "--out", job, ...more);
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /SHOWN_DIFFERS: This cell showed 2000 rows of what is written to[\s\S]*other ones[\s\S]*cell 3 \(c3\), line 1[\s\S]*what to do:/,
    );
    assert.match(stderr, /SHOWN_DIFFERS[\s\S]*cell 5 \(c5\), line 3/);
  }
  // the digest goes along with the folder
  await writeFile(path.join(job, "factor.txt"), "3");
  const changed = await run("replay", job);
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, new RegExp(`${sink}: not the rows that cell 3 showed`));
});
