// A sound installation, and each way in which one breaks: what is said, and that the advice mends it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { freePort } from "../../kernel/broker/embedded-broker.ts";
import type { Finding } from "../../kernel/cli/doctor/finding.ts";
import { checkJupyter } from "../../kernel/cli/doctor/jupyter.ts";
import { checkKafka, checkNode, checkPackages } from "../../kernel/cli/doctor/machine.ts";
import { sharedBroker } from "../support/broker.ts";
import { python } from "../support/python.ts";

const MAIN = path.resolve(import.meta.dirname, "../../kernel/cli/main.ts");
const folder = await mkdtemp(path.join(tmpdir(), "mill race doctor "));
const good = path.join(folder, "good");
after(() => rm(folder, { recursive: true, force: true }));

const dataDir = (prefix: string) => path.join(prefix, "share", "jupyter");
/** The test environment's JupyterLab, told to look below the prefix. */
const environment = (prefix: string): NodeJS.ProcessEnv => ({
  ...process.env,
  MILLRACE_PYTHON: python(),
  JUPYTER_PATH: dataDir(prefix),
  JUPYTER_DATA_DIR: path.join(folder, "user"),
});

function millrace(args: readonly string[], env: NodeJS.ProcessEnv) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const problems = (findings: readonly Finding[]) => findings.filter(({ ok }) => !ok);

before(async () => {
  const { code, stderr } = await millrace(["install", "--prefix", good], environment(good));
  assert.equal(code, 0, stderr);
});

test("a sound installation: one line per check, exit code 0", async () => {
  const env = { ...environment(good), KAFKA_BOOTSTRAP_SERVERS: await sharedBroker() };
  const { code, stdout, stderr } = await millrace(["doctor", "--prefix", good], env);
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split(":")[0]),
    [
      "node",
      "nodejs-polars",
      "@duckdb/node-api",
      "zeromq",
      "kernelspec",
      "lab extension",
      "jupyter",
      "found by jupyter",
      "kafka",
    ].map((check) => `ok       ${check}`),
  );
});

test("--json: the same for programs; a Kafka that is not there is exit code 1", async () => {
  const env = { ...environment(good), KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}` };
  const { code, stdout } = await millrace(["doctor", "--prefix", good, "--json"], env);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
  assert.deepEqual([code, ok], [1, false]);
  assert.deepEqual(
    problems(checks).map(({ check }) => check),
    ["kafka"],
  );
  assert.match(problems(checks)[0]!.todo!, /npx millrace broker/);
});

const spec = (prefix: string) => path.join(dataDir(prefix), "kernels", "millrace", "kernel.json");
const extension = (prefix: string) => path.join(dataDir(prefix), "labextensions", "millrace-lab");
const edit = async (file: string, change: (value: any) => void) => {
  const value = JSON.parse(await readFile(file, "utf8"));
  change(value);
  await writeFile(file, JSON.stringify(value));
};
const oldNode = path.join(folder, "old-node");
await writeFile(oldNode, "#!/bin/sh\necho v20.11.0\n", { mode: 0o755 });
const otherMain = path.join(folder, "main.ts");
await writeFile(otherMain, "");

const broken: Record<string, readonly [check: string, says: RegExp, spoil: (prefix: string) => Promise<unknown>]> = {
  "no kernelspec": ["kernelspec", /none named "millrace"/, (p) => rm(path.dirname(spec(p)), { recursive: true })],
  "a kernelspec cut short": ["kernelspec", /cannot be read/, (p) => writeFile(spec(p), "{")],
  "a kernelspec without argv": ["kernelspec", /starts no kernel/, (p) => edit(spec(p), (s) => delete s.argv)],
  "a Node that is gone": [
    "kernelspec",
    /starts \/gone\/node, which is not there/,
    (p) => edit(spec(p), (s) => s.argv.splice(0, 1, "/gone/node")),
  ],
  "a Node too old": [
    "kernelspec",
    /starts Node 20\.11\.0; 24/,
    (p) => edit(spec(p), (s) => s.argv.splice(0, 1, oldNode)),
  ],
  "a Millrace that has moved": [
    "kernelspec",
    /starts \/gone\/main\.ts, which is not there/,
    (p) => edit(spec(p), (s) => s.argv.splice(-2, 1, "/gone/main.ts")),
  ],
  "another Millrace": [
    "kernelspec",
    /the kernel of another Millrace/,
    (p) => edit(spec(p), (s) => s.argv.splice(-2, 1, otherMain)),
  ],
  "an older kernelspec": [
    "kernelspec",
    /interrupt_mode differs/,
    (p) => edit(spec(p), (s) => (s.interrupt_mode = "signal")),
  ],
  "no lab extension": ["lab extension", /is not in .*millrace-lab/, (p) => rm(extension(p), { recursive: true })],
  "an older lab extension": [
    "lab extension",
    /is version 0\.0\.1, the built one/,
    (p) => edit(path.join(extension(p), "package.json"), (m) => (m.version = "0.0.1")),
  ],
  "another build of the same version": [
    "lab extension",
    /plotly\.js differs/,
    (p) => appendFile(path.join(extension(p), "static", "plotly.js"), "//"),
  ],
};

suite("broken, said, and mended as advised", () => {
  for (const [what, [check, says, spoil]] of Object.entries(broken))
    test(what, async () => {
      const prefix = path.join(folder, what);
      await cp(good, prefix, { recursive: true });
      await spoil(prefix);
      const place = { prefix, name: "millrace" };
      const [found, ...others] = problems(await checkJupyter(place, environment(prefix)));
      assert.deepEqual([found?.check, others], [check, []]);
      assert.match(found!.says, says);
      assert.equal(found!.todo, `npx millrace install --prefix ${JSON.stringify(prefix)}`);
      await millrace(["install", "--prefix", prefix], environment(prefix));
      assert.deepEqual(problems(await checkJupyter(place, environment(prefix))), []);
    });
});

test("without options: the first place where Jupyter finds the kernel, and the advice is for that place", async () => {
  const prefix = path.join(folder, "first");
  await cp(good, prefix, { recursive: true });
  await rm(extension(prefix), { recursive: true });
  const [found] = problems(await checkJupyter({ name: "millrace" }, environment(prefix)));
  assert.equal(found?.todo, `npx millrace install --prefix ${JSON.stringify(prefix)}`);
});

test("a place where JupyterLab does not look, and a kernelspec hidden by another", async () => {
  const nowhere = { ...environment(good), JUPYTER_PATH: "" };
  const [unseen] = problems(await checkJupyter({ prefix: good, name: "millrace" }, nowhere));
  assert.equal(unseen?.check, "found by jupyter");
  assert.match(unseen!.todo!, /JUPYTER_PATH=/);
  const hiding = path.join(folder, "hiding");
  await cp(good, hiding, { recursive: true });
  const both = { ...environment(good), JUPYTER_PATH: [dataDir(hiding), dataDir(good)].join(path.delimiter) };
  const [hidden] = problems(await checkJupyter({ prefix: good, name: "millrace" }, both));
  assert.match(hidden!.says, /hiding.* hides it/);
});

test("a JupyterLab whose Python is gone", async () => {
  const venv = path.join(folder, "venv");
  await mkdir(path.join(venv, "bin"), { recursive: true });
  await writeFile(path.join(venv, "bin", "jupyter-lab"), "");
  const env = { ...environment(good), MILLRACE_PYTHON: path.join(venv, "bin", "python") };
  const [dead] = problems(await checkJupyter({ prefix: good, name: "millrace" }, env));
  assert.match(dead!.says, /jupyter-lab does not work/);
  assert.match(dead!.todo!, /npm run setup/);
});

test("a Node too old, and packages that do not load", async () => {
  assert.match(checkNode("22.1.0").todo!, /install Node 24/);
  const from = path.join(folder, "project");
  await mkdir(path.join(from, "node_modules", "spoilt"), { recursive: true });
  await writeFile(path.join(from, "node_modules", "spoilt", "index.js"), "process.abort()");
  const found = await checkPackages([
    ["spoilt", from],
    ["absent", from],
  ]);
  assert.deepEqual(
    found.map(({ ok }) => ok),
    [false, false],
  );
  assert.match(found[1]!.says, /Cannot find package 'absent'/);
  assert.match(found[0]!.todo!, /npm install/);
});

test("a Kafka setting that is none", async () => {
  const [found] = await checkKafka({ ...process.env, KAFKA_BOOTSTRAP_SERVERS: "nowhere" });
  assert.match(found!.says, /is not a broker address/);
});
