// Sets up everything the two commands of the README need, on any Node from 20 on; what is there already is kept.
// Written for old Nodes on purpose: this is what brings the new one.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

// `setup.mjs [--tests] [--then SCRIPT ARGS...]`: --tests adds what only the tests need; --then goes on with SCRIPT on Node 24
// (a shell would go on with the Node it found first).
const thenAt = process.argv.indexOf("--then");
const then = thenAt === -1 ? [] : process.argv.slice(thenAt + 1);
const forTests = process.argv.slice(2, thenAt === -1 ? undefined : thenAt).includes("--tests");

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const onWindows = process.platform === "win32";
const started = Date.now();

const DOCKER_OR_CLUSTER = [
  "use a Kafka you already have: KAFKA_BOOTSTRAP_SERVERS=host:9092",
  "or start one with Docker: docker compose up -d, then KAFKA_BOOTSTRAP_SERVERS=localhost:9092",
];

/** One block: what is missing, and the ways out. Exit code 2: nothing was attempted in vain. */
function giveUp(what, remedies) {
  for (const child of running) child.kill();
  console.error(
    `\nmillrace setup: ${what}\n  what to do:\n${remedies.map((remedy) => `    - ${remedy}`).join("\n")}\n`,
  );
  process.exit(2);
}

/** Steps at work; some run beside each other. */
const running = new Set();

function say(line) {
  console.error(`[setup ${((Date.now() - started) / 1000).toFixed(0).padStart(3)}s] ${line}`);
}

const digest = (...files) =>
  files.reduce((hash, file) => hash.update(readFileSync(path.join(root, file))), createHash("sha256")).digest("hex");

/** How far a step is, how fast, and how long it will still take where that can be told; else for how long it has been at it. */
function howFar(what, seconds, before, { done = 0, total = 0, of = "" } = {}) {
  if (done <= before || total === 0) return `${what}: still at it after ${seconds.toFixed(0)} s`;
  const rate = (done - before) / seconds;
  const left = done < total ? `, ${Math.ceil((total - done) / rate)} s left` : "";
  return `${what}: ${done} of ${total} ${of}, ${rate.toFixed(rate < 10 ? 1 : 0)} ${of}/s${left}`;
}

/** What a step says of how far it is. Files it is told by are being written meanwhile: what cannot be read now says nothing. */
function told(amount, output) {
  try {
    return amount(output);
  } catch {
    return undefined;
  }
}

/**
 * Runs a step with its output kept back; prints it, and gives up, when the step fails. A long step says how far it is.
 * @param amount what is done of what there is to do: `{ done, total, of }`; or, from what the step has printed, a line that says so
 */
function run(what, command, args, remedies, { env = {}, amount = () => undefined } = {}) {
  say(`${what} …`);
  const [began, before] = [Date.now(), told(amount, "")?.done ?? 0];
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const alive = setInterval(() => {
      const far = told(amount, output);
      say(typeof far === "string" ? far : howFar(what, (Date.now() - began) / 1000, before, far));
    }, 5000);
    child.on("error", (error) => giveUp(`${command} could not be started (${error.message}).`, remedies));
    child.on("exit", (code) => {
      clearInterval(alive);
      running.delete(child);
      if (code === 0) return resolve(output);
      const tail = output.trim().split("\n").slice(-12).join("\n    ");
      giveUp(`${what} failed (exit code ${code}).\n    ${tail}`, remedies);
    });
  });
}

const works = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;

// 1. what only the machine can bring
if (Number.parseInt(process.versions.node, 10) < 20)
  giveUp(`Node ${process.versions.node} is too old.`, [
    "install Node 20 or newer; Millrace brings its own Node 24 from there",
  ]);

const ownKafka = process.env.KAFKA_BOOTSTRAP_SERVERS;
const needsBroker = !ownKafka || forTests;
if (needsBroker && !works("java", ["-version"]))
  giveUp("Java was not found; the embedded Kafka needs Java 17 or newer.", [
    "install it (Debian: apt-get install openjdk-17-jre-headless)",
    ...DOCKER_OR_CLUSTER,
  ]);
const python = ["python3.11", "python3", "python"].find((name) =>
  works(name, ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]),
);
if (python === undefined)
  giveUp("Python 3.10 or newer was not found; JupyterLab runs on it.", [
    "install it (Debian: apt-get install python3 python3-venv)",
    "without Python these still work after `npm install`: npx millrace run, promote, replay, install --prefix DIR",
  ]);

const free = (() => {
  try {
    const { bavail, bsize } = statfsSync(root);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
})();
if (free < 1.5e9 && !existsSync(path.join(root, ".venv")))
  giveUp(`only ${(free / 1e9).toFixed(1)} GB are free on this disk; packages, JupyterLab and Kafka need 1.5 GB.`, [
    "free some space, or clone to another disk",
  ]);

// 2. npm packages, Node 24 and Kafka's jars; beside them a Python environment with JupyterLab
const cache = path.join(root, ".cache");
mkdirSync(cache, { recursive: true });
const node24 = path.join(root, "node_modules", "node", "bin", onWindows ? "node.exe" : "node");
const venv = path.join(root, ".venv");
const venvPython = path.join(venv, onWindows ? "Scripts/python.exe" : "bin/python");
await Promise.all([nodeAndKafka(), pythonEnvironment()]);

async function nodeAndKafka() {
  const npmStamp = path.join(cache, "npm.stamp");
  const manifests = ["package-lock.json", "package.json", "lib/package.json", "kernel/package.json"];
  if (!existsSync(node24) || !existsSync(npmStamp) || readFileSync(npmStamp, "utf8") !== digest(...manifests)) {
    const npm = process.env.npm_execpath ? [process.execPath, [process.env.npm_execpath]] : ["npm", []];
    await run(
      "installing npm packages and Node 24",
      npm[0],
      [...npm[1], "install", "--no-audit", "--no-fund"],
      ["look at the lines above; check the connection to the npm registry, then try again"],
      { amount: npmAmount },
    );
    if (!existsSync(node24))
      giveUp("npm did not bring Node 24.", ["run: npm install", "or use Node 24 as the system's Node"]);
    writeFileSync(npmStamp, digest(...manifests)); // npm may have written the lock file anew
  }
  await run(
    "preparing Millrace's types",
    node24,
    [path.join(root, "kernel", "cli", "prepare.ts")],
    ["look at the lines above, then try again"],
    { amount: lastLine },
  );
  if (needsBroker)
    await run(
      "looking for Kafka's jars (Maven fetches them once)",
      node24,
      [path.join(root, "kernel", "broker", "fetch.ts")],
      ["install Maven (Debian: apt-get install maven), or check its connection", ...DOCKER_OR_CLUSTER],
    );
}

/** Packages of the lock file for this machine, and those that are there. */
function npmAmount() {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const here = ({ os, cpu, link }) =>
    !link && (os ?? [process.platform]).includes(process.platform) && (cpu ?? [process.arch]).includes(process.arch);
  const names = Object.keys(packages).filter((name) => name.startsWith("node_modules/") && here(packages[name]));
  const done = names.filter((name) => existsSync(path.join(root, name, "package.json"))).length;
  return { done, total: names.length, of: "packages" };
}

function lastLine(output) {
  return output.trimEnd().split("\n").at(-1) || undefined;
}

/** Of the packages that pip has found to be needed, those it has downloaded; all are known once it installs. */
function pipAmount(output) {
  const found = new Set(
    [...output.matchAll(/^ *(?:Collecting|Requirement already satisfied:) ([^ (<>=!;[]+)/gm)].map(([, name]) => name),
  );
  const installing = /^Installing collected packages: (.*)$/m.exec(output)?.[1].split(", ").length;
  if (installing === undefined) return `installing JupyterLab: ${found.size} packages found and downloaded so far`;
  const site = path.join(venv, onWindows ? "Lib" : "lib");
  const done = readdirSync(site, { recursive: true }).filter((name) => /\.dist-info$/.test(name)).length;
  return `installing JupyterLab: ${Math.min(done, installing)} of ${installing} packages unpacked`;
}

async function pythonEnvironment() {
  const venvStamp = path.join(venv, "millrace.stamp");
  const requirements = digest("scripts/requirements.txt");
  if (existsSync(venvStamp) && readFileSync(venvStamp, "utf8") === requirements && works(venvPython, ["-V"])) return;
  rmSync(venv, { recursive: true, force: true });
  await run(
    "making a Python environment",
    python,
    ["-m", "venv", venv],
    ["install the venv module (Debian: apt-get install python3-venv)"],
  );
  const packages = path.join(root, "scripts", "requirements.txt");
  await run(
    "installing JupyterLab",
    venvPython,
    ["-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check", "-r", packages],
    ["look at the lines above; check the connection to the Python package index, then try again"],
    { amount: pipAmount },
  );
  writeFileSync(venvStamp, requirements);
}

// 3. the kernel in that environment: JupyterLab, nbclient and papermill started from it find it
await run(
  "installing the kernel",
  node24,
  [path.join(root, "kernel", "cli", "main.ts"), "install", "--prefix", venv],
  ["look at the lines above, then try again"],
);

// 4. a browser, for the tests only
if (forTests && !works("chromium", ["--version"]) && !process.env.MILLRACE_CHROMIUM) {
  if (process.getuid?.() === 0 && works("apt-get", ["--version"])) {
    await run("looking up Debian packages", "apt-get", ["update", "-qq"], ["install Chromium by hand"]);
    await run(
      "installing Chromium for the browser tests",
      "apt-get",
      ["install", "-y", "-qq", "chromium"],
      ["install Chromium by hand, or set MILLRACE_CHROMIUM to its path"],
      { env: { DEBIAN_FRONTEND: "noninteractive" } },
    );
  } else {
    say("Chromium was not found: browser tests will be skipped (install it, or set MILLRACE_CHROMIUM to its path)");
  }
}
say("ready");

if (then.length > 0) {
  const bin = path.join(root, "node_modules", ".bin");
  const child = spawn(node24, then, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
}
