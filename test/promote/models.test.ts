import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { feedPhones } from "./phones.ts";
import { millrace, runCommand } from "./run-command.ts";

const FOREST = "ml-random-forest";
const VERSION = "2.1.0";

test("a model that a notebook trains goes into the job with its package and its digest; several sinks, two of one topic", async () => {
  const servers = await sharedBroker();
  const [phones, alerts, all] = [uniqueName("phones"), uniqueName("alerts"), uniqueName("all")];
  const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
  const folder = await temporaryFolder();
  const [book, job] = [path.join(folder, "book"), path.join(folder, "job")];
  const notebook = path.join(book, "crashes.ipynb");
  await mkdir(book);
  await writeFile(path.join(book, "package.json"), '{"private":true,"type":"module"}');
  const npm = (cwd: string, ...args: string[]) => runCommand("npm", [...args, "--no-audit", "--no-fund"], { cwd });
  const added = await npm(book, "install", "--save-exact", `${FOREST}@${VERSION}`);
  assert.equal(added.code, 0, added.stderr);
  await feedPhones(servers, phones, 3000, 5);
  await writeFile(
    notebook,
    notebookText([
      `import { readFileSync, writeFileSync } from "node:fs";\nimport { RandomForestClassifier } from "${FOREST}";\nimport { pl, topic } from "millrace";`,
      // the same plan gives the features in training and in the job
      `const features = topic(${JSON.stringify(phones)}, { key: "device", time: "timestamp" })
  .withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).plus(pl.col("gForceZ").abs()).alias("total"));`,
      `const totals = (await features.collect()).getColumn("total").toArray() as number[];
const trained = new RandomForestClassifier({ nEstimators: 5, seed: 7, noOOB: true });
trained.train(totals.map((total) => [total]), totals.map((total) => (total > 4 ? 1 : 0)));
writeFileSync("model.json", JSON.stringify(trained.toJSON()));`,
      `const model = RandomForestClassifier.load(JSON.parse(readFileSync("model.json", "utf8")));
const judged = features.predict(({ total }: any) => model.predict(Array.from(total as number[], (x) => [x])), { features: "total", as: "crash" });`,
      `judged.filter(pl.col("crash").gt(0.5)).to(${JSON.stringify(alerts)}, { key: "device" });
judged.filter(pl.col("total").gt(9)).select("device", "total").to(${JSON.stringify(alerts)}, { key: "device" });
const rest = judged.to(${JSON.stringify(all)});`,
    ]),
  );
  const ran = await millrace(["run", notebook], { env });
  assert.equal(ran.code, 0, ran.stderr);
  const promoted = await millrace(["promote", notebook, "--out", job], { env });
  assert.equal(promoted.code, 0, promoted.stderr);

  const promotion = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
  const model = await readFile(path.join(book, "model.json"));
  assert.deepEqual(promotion.copied, { "model.json": createHash("sha256").update(model).digest("hex") });
  assert.deepEqual(promotion.packages, { [FOREST]: VERSION });
  assert.deepEqual(
    promotion.sinks.map(({ topic }: any) => topic),
    [alerts, alerts, all],
  );
  assert.doesNotMatch(await readFile(path.join(job, "main.ts"), "utf8"), /train|writeFile|collect/);
  const crashes = (await readFile(path.join(job, "expected", `${alerts}.jsonl`), "utf8")).trim().split("\n");
  assert.ok(
    crashes.length > 5 && crashes.every((line) => JSON.parse(line).value.total > 3),
    `${crashes.length} alerts`,
  );

  // the same bytes from another folder, for somebody else
  const [again, home] = [path.join(folder, "other", "job"), path.join(folder, "home")];
  await mkdir(home);
  const other = await millrace(["promote", path.relative(folder, notebook), "--out", again], {
    env: { ...env, HOME: home, XDG_CACHE_HOME: path.join(home, "cache"), TZ: "Asia/Tokyo", LANG: "de_DE.UTF-8" },
    cwd: folder,
  });
  assert.equal(other.code, 0, other.stderr);
  for (const entry of await readdir(job, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = path.relative(job, path.join(entry.parentPath, entry.name));
    assert.deepEqual(await readFile(path.join(again, name)), await readFile(path.join(job, name)), name);
  }

  const installed = path.join(folder, "installed");
  await cp(job, installed, { recursive: true });
  const made = await npm(installed, "install");
  assert.equal(made.code, 0, made.stderr);
  const nowhere = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
  const replayed = await millrace(["replay", installed], { env: nowhere });
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);

  // a model that was changed is found out
  const file = path.join(installed, "model.json");
  await writeFile(file, (await readFile(file, "utf8")).replace(/"splitValue":[\d.]+/g, '"splitValue":1'));
  const changed = await millrace(["replay", installed], { env: nowhere });
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, /rows differ[\s\S]*Changed since promotion: model\.json/);
});
