import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { feedPhones } from "./phones.ts";
import { millrace } from "./run-command.ts";

test("tables and files go into the job, are replayed, and a job that keeps other rows fails it", async () => {
  const servers = await sharedBroker();
  const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
  const phones = uniqueName("phones");
  await feedPhones(servers, phones, 3000, 5);
  const folder = await temporaryFolder();
  const [notebook, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
  await writeFile(
    notebook,
    notebookText([
      `import { pl, sql, topic } from "millrace";\nconst phone = topic(${JSON.stringify(phones)}, { key: "device", time: "timestamp" });`,
      `const perSecond = phone.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" }).agg(pl.col("gForceX").max().alias("max"));
await perSecond.toTable("per_second").run();
phone.groupBy("device").agg(pl.len().alias("readings")).toTable("readings");`,
      "const rows = await sql`SELECT count(*) AS n FROM per_second`;\nrows",
      'phone.select("device", "gForceX").toTable("newest", { key: "device" })',
      'await phone.filter(pl.col("gForceX").gt(1)).toParquet("./strong/moves").run()',
    ]),
  );
  const ran = await millrace(["run", notebook, "--for", "100ms"], { env });
  assert.equal(ran.code, 0, ran.stderr);
  const promoted = await millrace(["promote", notebook, "--out", job], { env });
  assert.equal(promoted.code, 0, promoted.stderr);
  const main = await readFile(path.join(job, "main.ts"), "utf8");
  assert.equal(main.match(/\.toTable\(/g)?.length, 3);
  assert.match(main, /\n\s*phone\.filter\(.*\)\.toParquet\("\.\/strong\/moves"\);\n/);
  assert.doesNotMatch(main, /\.run\(\);\n\n|sql/);
  const { tables, parquet } = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
  assert.deepEqual(tables, [
    { name: "per_second" },
    { name: "readings", key: ["device"] },
    { name: "newest", key: ["device"] },
  ]);
  assert.deepEqual(parquet, [{ folder: "strong/moves" }]);

  const replayed = await millrace(["replay", job]);
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  for (const line of [
    /table per_second: \d{2,} rows/,
    /table readings: 5 rows/,
    /table newest: 5 rows/,
    /parquet strong%2Fmoves: \d{2,} rows/,
  ])
    assert.match(replayed.stdout + replayed.stderr, line);
  await writeFile(path.join(job, "main.ts"), main.replace('pl.col("gForceX").max()', 'pl.col("gForceX").min()'));
  const other = await millrace(["replay", job]);
  assert.equal(other.code, 1);
  assert.match(other.stdout + other.stderr, /table per_second: \d+ of \d+ rows differ/);
});
