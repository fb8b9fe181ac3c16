// `npm test`, after setup: types, lint, then every test against one real broker. Runs on Node 24.
// `npm test -- PATH...` runs only these test files.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = path.resolve(import.meta.dirname, "..");
process.chdir(root);
const { EmbeddedBroker } = await import("../kernel/broker/embedded-broker.ts");

const chosen = process.argv.slice(2);
let failures = 0;
if (chosen.length === 0) {
  for (const [what, bin, ...args] of [
    ["types", "node_modules/typescript/bin/tsc", "--noEmit"],
    ["types of the lab extension", "node_modules/typescript/bin/tsc", "-p", "kernel/labextension"],
    ["lint and format", "node_modules/@biomejs/biome/bin/biome", "check", "."],
  ]) {
    console.log(`checking ${what} …`);
    if (spawnSync(process.execPath, [bin, ...args], { stdio: "inherit" }).status !== 0) {
      failures++;
      console.log(`✖ ${what}`);
    }
  }
}

const broker = await EmbeddedBroker.start({ heap: 1024, progress: (line) => console.log(line) });
const files = chosen.length > 0 ? chosen : globSync("test/**/*.test.ts").sort();
const venv = path.join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const runner = spawn(
  process.execPath,
  [
    // a job and the kernel do this themselves; tests import single files
    "--import",
    pathToFileURL(path.join(root, "lib/polars/fast-objects.ts")).href,
    "--test",
    "--test-concurrency=2",
    "--test-timeout=600000",
    `--test-reporter=${process.env.MILLRACE_TEST_REPORTER ?? "spec"}`,
    "--test-reporter-destination=stdout",
    ...files,
  ],
  {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      KAFKA_BOOTSTRAP_SERVERS: "",
      MILLRACE_TEST_BROKER: broker.bootstrapServers,
      ...(existsSync(venv) && !process.env.MILLRACE_PYTHON ? { MILLRACE_PYTHON: venv } : {}),
    },
  },
);
const stop = async (code) => {
  await broker.stop();
  process.exit(code);
};
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => runner.kill(signal));
runner.on("exit", (code) => {
  if (failures > 0) console.log(`✖ ${failures} of the checks before the tests failed: see the top`);
  stop(code === 0 && failures === 0 ? 0 : 1);
});
