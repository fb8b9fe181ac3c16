// `npm test`, after setup: every test against one real broker; types and lint beside them. Runs on Node 24.
// `npm test -- PATH...` runs only these test files.
import { spawn } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { runLanes } from "./run-lanes.mjs";
import { lanes } from "./test-order.mjs";

const root = path.resolve(import.meta.dirname, "..");
process.chdir(root);
const { EmbeddedBroker } = await import("../kernel/broker/embedded-broker.ts");

/** Says what failed with its output, once it is over. */
const check = (what, ...args) =>
  new Promise((resolve) => {
    let output = "";
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("exit", (code) => resolve(code === 0 ? [] : [`${output.trimEnd()}\n✖ ${what}`]));
  });

async function checks() {
  const lint = check("lint and format", "node_modules/@biomejs/biome/bin/biome", "check", ".");
  const tsc = "node_modules/typescript/bin/tsc";
  const types = await check("types", tsc, "--noEmit");
  return [...types, ...(await check("types of the lab extension", tsc, "-p", "kernel/labextension")), ...(await lint)];
}

const chosen = process.argv.slice(2);
const files = (chosen.length > 0 ? [chosen, chosen] : lanes(globSync("test/**/*.test.ts"))).map((lane) =>
  lane.map((file) => path.resolve(file)),
);
const broker = await EmbeddedBroker.start({
  heap: 1024,
  // nobody restarts this one: it need not be given up soon, and the machine may stand still for a moment
  properties: { "broker.session.timeout.ms": "60000", "broker.heartbeat.interval.ms": "1000" },
  progress: (line) => console.log(line),
});
const checked = chosen.length > 0 ? [] : checks();

// what the processes of the tests inherit: most of them load the same modules
process.env.NODE_COMPILE_CACHE ??= path.join(root, ".cache", "compile");
process.env.KAFKA_BOOTSTRAP_SERVERS = "";
process.env.MILLRACE_TEST_BROKER = broker.bootstrapServers;
const python = path.join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
if (existsSync(python)) process.env.MILLRACE_PYTHON ??= python;

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => interrupted.abort());
// types and lint take a core for a while
const { events, ended } = runLanes(files, Promise.resolve(checked), {
  timeout: 600_000,
  signal: interrupted.signal,
  // a job and the kernel do this themselves; tests import single files
  execArgv: ["--import", pathToFileURL(path.join(root, "lib/polars/fast-objects.ts")).href],
});
const { [process.env.MILLRACE_TEST_REPORTER ?? "spec"]: reporter } = await import("node:test/reporters");
const report = events.compose(reporter.prototype?._transform ? new reporter() : reporter);
report.pipe(process.stdout, { end: false });
interrupted.signal.addEventListener("abort", () => report.unpipe()); // else every file that has not begun is told of
const { counts, seconds } = await ended;
await new Promise((resolve) => report.on("end", resolve));

if (seconds.size > 1) {
  const longest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, 15);
  const lines = longest.map(([file, s]) => `${s.toFixed(0).padStart(5)}  ${path.relative(root, file)}`);
  console.log(`longest files, s:\n${lines.join("\n")}`);
}
const failures = await checked;
for (const failure of failures) console.log(failure);
await broker.stop();
const failed = counts.failed + counts.cancelled + failures.length;
console.log(`${counts.passed} passed, ${failed} failed`);
process.exit(failed === 0 && counts.passed > 0 ? 0 : 1);
