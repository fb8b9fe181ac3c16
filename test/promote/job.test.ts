import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import polars from "nodejs-polars";
import { parse } from "yaml";
import { fetchRanges, heldRanges } from "../../kernel/promote/fetch-ranges.ts";
import { tarball } from "../../kernel/promote/job/tarball.ts";
import { unpack } from "../../kernel/promote/job/unpack.ts";
import { Cluster } from "../../lib/log/index.ts";
import { cell as bytesAt } from "../../lib/run/job/samples.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { notebookText } from "./notebooks.ts";
import { feedPhones } from "./phones.ts";
import { millrace, millraceAgain, runCommand } from "./run-command.ts";

const COUNT = 30_000;
const THRESHOLD = 2.5;

// One folder is promoted and installed for all tests of this file; each changes a copy of its own.
describe("a promoted notebook", () => {
  const source = uniqueName("phones");
  const sink = uniqueName("alerts");
  let servers: string;
  let env: Record<string, string>;
  let folder: string;
  let notebook: string;
  let made: string;
  let installed: string;

  before(async () => {
    servers = await sharedBroker();
    env = { KAFKA_BOOTSTRAP_SERVERS: servers };
    folder = await mkdtemp(path.join(os.tmpdir(), "millrace-job-"));
    notebook = path.join(folder, "book", "phones.ipynb");
    made = path.join(folder, "made");
    installed = path.join(folder, "elsewhere", "job");
    await mkdir(path.dirname(notebook));
    await writeFile(
      path.join(folder, "book", "force.ts"),
      'import { offset } from "./more/offset.ts";\nexport const scale = (base: number): number => base + offset;\n',
    );
    await mkdir(path.join(folder, "book", "more"));
    await writeFile(path.join(folder, "book", "more", "offset.ts"), "export const offset: number = 0;\n");
    await writeFile(path.join(folder, "book", "limits.json"), '{"factor":1}\n');
    await writeFile(
      notebook,
      notebookText([
        'import { param, pl, topic } from "millrace";\nimport { scale } from "./force.ts";\nimport { readFileSync } from "node:fs";',
        `const phone = topic(${JSON.stringify(source)}, { key: "device", time: "timestamp" });\nconst all = await phone.collect();\nall.height`,
        'const factor = JSON.parse(readFileSync("limits.json", "utf8")).factor as number;',
        { tags: ["parameters"], source: `const threshold = ${THRESHOLD};` },
        `const total = phone.withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).plus(pl.col("gForceZ").abs()).alias("gForceTotal"));
const moving = total.withColumns(pl.col("gForceTotal").diff(1, "ignore").over("device").alias("delta"));
moving.filter(pl.col("gForceTotal").gt(scale(threshold * factor))).to(${JSON.stringify(sink)}, { key: "device" });`,
      ]),
    );
    await feedPhones(servers, source, COUNT);
    const ran = await millrace(["run", notebook], { env });
    assert.equal(ran.code, 0, ran.stderr);
    const promoted = await millraceAgain(["promote", notebook, "--out", made], { env });
    assert.equal(promoted.code, 0, promoted.stderr);
    await cp(made, installed, { recursive: true });
    const npm = await runCommand("npm", ["install", "--no-audit", "--no-fund"], {
      cwd: installed,
      env: { PATH: olderNodeFirst() },
    });
    assert.equal(npm.code, 0, npm.stderr);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test("holds what it needs and nothing else", async () => {
    const files = (await readdir(made, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(made, path.join(entry.parentPath, entry.name)))
      .sort();
    assert.deepEqual(files, [
      ".dockerignore",
      ".gitignore",
      "Dockerfile",
      "README.md",
      "compose.yaml",
      `expected/${sink}.jsonl`,
      "force.ts",
      "k8s/disruption-budget.yaml",
      "k8s/kustomization.yaml",
      "k8s/service.yaml",
      "k8s/statefulset.yaml",
      "limits.json",
      "main.test.ts",
      "main.ts",
      "more/offset.ts",
      "package.json",
      "postinstall.mjs",
      "promotion.json",
      `samples/${source}.jsonl.gz`,
      "vendor/millrace-0.1.0.tgz",
    ]);
    const main = await readFile(path.join(made, "main.ts"), "utf8");
    assert.doesNotMatch(main, /collect|height/);
    assert.doesNotMatch(main, new RegExp(folder));
  });

  test("is the same bytes again, whatever the folder is called", async () => {
    const again = path.join(folder, "again", "other");
    assert.equal((await millrace(["promote", notebook, "--out", again], { env })).code, 0);
    for (const entry of await readdir(made, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const name = path.relative(made, path.join(entry.parentPath, entry.name));
      assert.deepEqual(await readFile(path.join(again, name)), await readFile(path.join(made, name)), name);
    }
  });

  test("installed elsewhere, writes exactly what static Polars computes, and ends with its figures", async () => {
    const state = path.join(folder, "state");
    const run = await runCommand("npm", ["start", "--", "--until", "end", "--json"], {
      cwd: installed,
      env: { ...env, PATH: olderNodeFirst(), MILLRACE_STATE_DIR: state, MILLRACE_JOB_NAME: uniqueName("job") },
    });
    assert.equal(run.code, 0, run.stderr);
    const figures = JSON.parse(run.stdout.trim().split("\n").at(-1)!);
    const [input, output] = [await valuesOf(servers, source), await valuesOf(servers, sink)];
    const expected = staticAlerts(input);
    assert.ok(expected.length > 0);
    assert.equal(figures.rowsIn, COUNT);
    assert.equal(figures.rowsOut, expected.length);
    assert.deepEqual(byDevice(output), byDevice(expected));
  });

  // values that do not fit: parameters.test.ts
  test("takes its parameter from the environment or a flag", async () => {
    const start = (args: readonly string[], own: Record<string, string> = {}) =>
      runCommand("npm", ["start", "--", "--until", "end", "--json", ...args], {
        cwd: installed,
        env: {
          ...env,
          PATH: olderNodeFirst(),
          MILLRACE_STATE_DIR: path.join(folder, uniqueName("state")),
          MILLRACE_JOB_NAME: uniqueName("job"),
          ...own,
        },
      });
    const rowsOut = ({ stdout }: { stdout: string }) => JSON.parse(stdout.trim().split("\n").at(-1)!).rowsOut;
    const [byFlag, byVariable] = [await start(["--threshold", "1e9"]), await start([], { THRESHOLD: "1e9" })];
    assert.deepEqual([byFlag.code, byVariable.code], [0, 0], byFlag.stderr + byVariable.stderr);
    assert.deepEqual([rowsOut(byFlag), rowsOut(byVariable)], [0, 0]);
  });

  test("replays equal: by the command and by its own npm test, without a broker", async () => {
    const env = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1", PATH: olderNodeFirst() };
    const replayed = await millrace(["replay", installed], { env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" } });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
    assert.match(replayed.stdout, /rows, as the notebook computed them/);
    assert.match(replayed.stderr, /^replaying \d+ records of [\s\S]*^replayed in [\d.]+ s/m);
    const tested = await runCommand("npm", ["test"], { cwd: installed, env });
    assert.equal(tested.code, 0, tested.stdout + tested.stderr);
  });

  test("replays without installed packages, on the millrace it was promoted with", async () => {
    const replayed = await millrace(["replay", made]);
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  });

  test("its own test says which row differs", async () => {
    const job = path.join(folder, "mutated-and-tested");
    await cp(made, job, { recursive: true });
    await symlink(path.join(installed, "node_modules"), path.join(job, "node_modules"));
    await replaceIn(path.join(job, "more", "offset.ts"), "= 0", "= 0.5");
    const { code, stdout } = await runCommand(process.execPath, ["--test"], { cwd: job });
    assert.equal(code, 1, stdout);
    assert.match(stdout, new RegExp(`${sink}: \\d+ of \\d+ rows differ[\\s\\S]*key "[^"]+", row \\d+\\n`));
  });

  test("what it installs needs no compiler and runs no scripts; its image holds what it runs, and nothing for development", async () => {
    const { packages } = JSON.parse(await readFile(path.join(installed, "node_modules", ".package-lock.json"), "utf8"));
    const deployed = Object.entries<any>(packages).filter(([, { dev }]) => !dev);
    // what its packages need in turn is what is installed here, and as its package.json says
    const { overrides } = JSON.parse(await readFile(path.join(made, "package.json"), "utf8"));
    const versions = new Map(deployed.map(([name, { version }]) => [name.replace(/^.*node_modules\//, ""), version]));
    assert.ok(Object.keys(overrides).length > 15, JSON.stringify(overrides));
    for (const [name, version] of Object.entries(overrides)) assert.equal(versions.get(name), version, name);
    assert.ok(deployed.length > 10 && deployed.some(([name]) => name.startsWith("node_modules/nodejs-polars-")));
    for (const [name, { hasInstallScript }] of deployed) {
      assert.ok(!hasInstallScript, `${name} has an install script`);
      assert.equal(existsSync(path.join(installed, name, "binding.gyp")), false, `${name} would be compiled`);
    }
    const ignored = (await readFile(path.join(made, ".dockerignore"), "utf8")).split("\n");
    const inImage = (await readdir(made)).filter((name) => !ignored.includes(name)).sort();
    assert.deepEqual(inImage, [
      "force.ts",
      "limits.json",
      "main.ts",
      "more",
      "package.json",
      "postinstall.mjs",
      "promotion.json",
      "vendor",
    ]);
    assert.ok((await stat(path.join(made, "vendor", "millrace-0.1.0.tgz"))).size < 2 ** 20);
  });

  test("asks Kubernetes for what the notebook measured", async () => {
    const { measured } = JSON.parse(await readFile(path.join(made, "promotion.json"), "utf8"));
    assert.ok(measured.recordsPerSecond > 0 && measured.millisecondsPerRecord > 0, JSON.stringify(measured));
    const records = await valuesOf(servers, source);
    const times = records.map(({ timestamp }) => timestamp as number);
    const rate = (1000 * COUNT) / (times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b)));
    assert.ok(Math.abs(measured.recordsPerSecond / rate - 1) < 0.06, `${measured.recordsPerSecond}, not ${rate}`);
    const { spec } = parse(await readFile(path.join(made, "k8s", "statefulset.yaml"), "utf8"));
    const cpu = Math.ceil((measured.recordsPerSecond * measured.millisecondsPerRecord * 3) / 100) * 100;
    const { requests } = spec.template.spec.containers[0].resources;
    assert.equal(requests.cpu, `${Math.min(2000, Math.max(100, cpu))}m`);
  });

  const mutations: readonly { name: string; mutate: (job: string) => Promise<void>; says: RegExp }[] = [
    {
      name: "main.ts changed",
      mutate: (job) => replaceIn(path.join(job, "main.ts"), ".gt(scale(", ".lt(scale("),
      says: /rows differ[\s\S]*key "[^"]+", row 1\n {4}notebook: .*gForceTotal.*\n {4}job: .*gForceTotal/,
    },
    {
      name: "a local module changed",
      mutate: (job) => replaceIn(path.join(job, "more/offset.ts"), "= 0", "= 0.5"),
      says: /rows differ[\s\S]*key "[^"]+", row \d+\n[\s\S]*\(no row\)/,
    },
    {
      name: "a recorded sample changed",
      mutate: async (job) => {
        const file = path.join(job, "samples", `${source}.jsonl.gz`);
        const text = gunzipSync(await readFile(file)).toString();
        await writeFile(file, gzipSync(text.replace(/"gForceX\\":-?[\d.]+/, '"gForceX\\":99')));
      },
      says: /1 of \d+ rows differ[\s\S]*key "[^"]+", row 1\n {4}notebook: \(no row\)\n {4}job: .*"gForceX":99[\s\S]*Changed since promotion: samples/,
    },
    {
      name: "a sink gone from main.ts",
      mutate: (job) => replaceIn(path.join(job, "main.ts"), JSON.stringify(sink), '"elsewhere"'),
      says: /no sink that writes/,
    },
    {
      name: "a sink more in main.ts",
      mutate: (job) =>
        replaceIn(path.join(job, "main.ts"), "await main.run();", 'phone.to("more");\nawait main.run();'),
      says: /writes more, which the notebook does not/,
    },
    {
      name: "expected rows changed",
      mutate: (job) => replaceIn(path.join(job, "expected", `${sink}.jsonl`), '"gForceTotal":', '"gForceTotal":1'),
      says: /rows differ[\s\S]*Changed since promotion: expected/,
    },
    {
      name: "its own millrace changed",
      mutate: (job) =>
        unpackedAndPacked(path.join(job, "vendor", "millrace-0.1.0.tgz"), (name, text) =>
          name === "package/run/sink/sink-records.js"
            ? text.replace("count: rows.height", "count: rows.height - 1")
            : text,
        ),
      says: /rows differ[\s\S]*Changed since promotion: vendor/,
    },
    {
      name: "main.ts that throws",
      mutate: (job) => appendTo(path.join(job, "force.ts"), 'throw new Error("broken");'),
      says: /broken/,
    },
  ];
  for (const { name, mutate, says } of mutations) {
    test(`does not replay with ${name}`, async () => {
      const job = path.join(folder, name.replaceAll(/\W+/g, "-"));
      await cp(made, job, { recursive: true });
      await mutate(job);
      const replayed = await millrace(["replay", job]);
      assert.equal(replayed.code, 1, replayed.stdout + replayed.stderr);
      assert.match(replayed.stdout, says);
    });
  }

  test("--check is 0 while notebook and job agree, also without a broker, and 1 when they have drifted", async () => {
    const nowhere = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
    const same = await millraceAgain(["promote", notebook, "--out", made, "--check"], { env: nowhere });
    assert.equal(same.code, 0, same.stdout + same.stderr);
    const job = path.join(folder, "drifted");
    await cp(made, job, { recursive: true });
    await replaceIn(path.join(job, "main.ts"), "gForceTotal", "gForce");
    await rm(path.join(job, "force.ts"));
    const drifted = await millraceAgain(["promote", notebook, "--out", job, "--check"], { env });
    assert.equal(drifted.code, 1);
    assert.match(drifted.stdout, / {2}force\.ts \(missing\)\n {2}main\.ts\n/);
    assert.equal(existsSync(path.join(job, "force.ts")), false);
  });

  test("takes the place of what promote made before; node_modules and state stay, left-over files go", async () => {
    const job = path.join(folder, "earlier");
    await cp(made, job, { recursive: true });
    await mkdir(path.join(job, "state"));
    await writeFile(path.join(job, "state", "kept"), "");
    await mkdir(path.join(job, "node_modules"));
    const changed = path.join(folder, "book", "changed.ipynb");
    await writeFile(
      changed,
      (await readFile(notebook, "utf8")).replaceAll(".gt(scale(threshold * factor))", ".gt(threshold * factor)"),
    );
    const promoted = await millraceAgain(["promote", changed, "--out", job, "--allow", "EDITED_SINCE_RUN"], { env });
    assert.equal(promoted.code, 0, promoted.stderr);
    assert.match(promoted.stdout, /Allowed EDITED_SINCE_RUN/);
    assert.equal(existsSync(path.join(job, "force.ts")), false);
    assert.equal(existsSync(path.join(job, "state", "kept")), true);
    assert.equal(existsSync(path.join(job, "node_modules")), true);
    const { allowed } = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
    assert.equal(allowed[0].code, "EDITED_SINCE_RUN");
  });

  test("refuses a folder with anybody else's files, and an edited notebook", async () => {
    const foreign = await millraceAgain(["promote", notebook, "--out", path.join(folder, "book")], { env });
    assert.equal(foreign.code, 2);
    assert.match(foreign.stderr, /files that promote did not make/);
    const edited = path.join(folder, "book", "edited.ipynb");
    await writeFile(
      edited,
      (await readFile(notebook, "utf8")).replace(`const threshold = ${THRESHOLD}`, "const threshold = 9"),
    );
    const refused = await millraceAgain(["promote", edited, "--out", path.join(folder, "none")], { env });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /EDITED_SINCE_RUN[\s\S]*cell 4 \(c4\), line 1[\s\S]*const threshold = 9/);
    assert.equal(existsSync(path.join(folder, "none")), false);
  });

  test("a notebook that read nothing gives a job whose replay says so and fails", async () => {
    const fresh = path.join(folder, "book", "fresh.ipynb");
    await writeFile(
      fresh,
      notebookText([
        `import { pl, topic } from "millrace";\ntopic(${JSON.stringify(source)}, { key: "device" }).to("fresh");`,
      ]),
    );
    const job = path.join(folder, "fresh");
    const promoted = await millraceAgain(["promote", fresh, "--out", job], { env });
    assert.equal(promoted.code, 0, promoted.stderr);
    assert.match(promoted.stdout, /never ran[\s\S]*Nothing is recorded/);
    const replayed = await millrace(["replay", job]);
    assert.equal(replayed.code, 1);
    assert.match(replayed.stdout, /Nothing was recorded/);
  });

  test("without a journal and without a broker the missing schema is refused", async () => {
    const fresh = path.join(folder, "book", "unknown.ipynb");
    await writeFile(fresh, notebookText(['import { topic } from "millrace";\ntopic("unknown").to("fresh");']));
    const promoted = await millraceAgain(["promote", fresh, "--out", path.join(folder, "unknown")], {
      env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" },
    });
    assert.equal(promoted.code, 2);
    assert.match(promoted.stderr, /NO_SCHEMA[\s\S]*millrace run NOTEBOOK[\s\S]*schema: \{/);
  });
});

/** The machine's own Node where it is older than 24, as on a machine that knows nothing of this project. */
function olderNodeFirst(): string {
  return existsSync("/usr/bin/node") ? "/usr/local/bin:/usr/bin:/bin" : (process.env.PATH ?? "");
}

async function replaceIn(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, "utf8");
  assert.ok(text.includes(from), `${file} does not contain ${from}`);
  await writeFile(file, text.replaceAll(from, to));
}

const appendTo = (file: string, text: string) => appendFile(file, `\n${text}\n`);

/** Changes files of a package of the job's. */
async function unpackedAndPacked(archive: string, change: (name: string, text: string) => string): Promise<void> {
  const folder = `${archive}.unpacked`;
  await unpack(archive, folder);
  const files = new Map<string, Uint8Array>();
  let changed = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const name = `package/${path.relative(folder, file)}`;
    const before = await readFile(file, "utf8");
    const after = change(name, before);
    if (after !== before) changed++;
    files.set(name, Buffer.from(after));
  }
  assert.equal(changed, 1);
  await writeFile(archive, tarball(files));
  await rm(folder, { recursive: true });
}

/** The values of all records of a topic, by partition and offset. */
async function valuesOf(servers: string, topic: string): Promise<Record<string, unknown>[]> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  try {
    const everything = Object.fromEntries(
      Array.from({ length: 16 }, (_, partition) => [partition, [0, Number.MAX_SAFE_INTEGER] as const]),
    );
    const samples = await fetchRanges(cluster, topic, await heldRanges(cluster, topic, everything));
    return samples.flatMap(({ columns }) =>
      Array.from({ length: columns.count }, (_, row) =>
        JSON.parse(Buffer.from(bytesAt(columns.values, row)!).toString()),
      ),
    );
  } finally {
    await cluster.close();
  }
}

/** The same program in batch Polars. */
function staticAlerts(input: Record<string, unknown>[]): Record<string, unknown>[] {
  const { col } = polars;
  const frame = polars
    .DataFrame(input)
    .withColumns(col("gForceX").abs().plus(col("gForceY").abs()).plus(col("gForceZ").abs()).alias("gForceTotal"))
    .withColumns(col("gForceTotal").diff(1, "ignore").over("device").alias("delta"))
    .filter(col("gForceTotal").gt(polars.lit(THRESHOLD)));
  return frame.toRecords().map((row) => ({ ...row, timestamp: new Date(Number(row.timestamp)).toISOString() }));
}

/** Rows per device in order; floats rounded beyond what the order of additions can change. */
function byDevice(rows: readonly Record<string, unknown>[]): Record<string, unknown[]> {
  const groups: Record<string, unknown[]> = {};
  for (const row of rows) {
    const rounded = Object.entries(row).map(([name, value]) => [
      name,
      typeof value === "number" ? Number(value.toPrecision(9)) : value,
    ]);
    const device = row.device as string;
    groups[device] = [...(groups[device] ?? []), Object.fromEntries(rounded.sort())];
  }
  return groups;
}
