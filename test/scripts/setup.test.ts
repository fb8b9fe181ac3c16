import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { smallFileSystem } from "../drills/faults/disk-full.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const main = path.join(repository, "kernel/cli/main.ts");

/** Runs a script with only these programs on the path. */
function runWith(programs: readonly string[], args: readonly string[], env: Record<string, string> = {}) {
  const bin = mkdtempSync(path.join(os.tmpdir(), "millrace-bin-"));
  try {
    for (const program of programs) {
      const found = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
      if (found !== "") symlinkSync(found, path.join(bin, program));
    }
    const { PATH: _, KAFKA_BOOTSTRAP_SERVERS: __, ...rest } = process.env;
    return spawnSync(process.execPath, args, {
      encoding: "utf8",
      timeout: 60_000,
      env: { ...rest, PATH: bin, ...env },
    });
  } finally {
    rmSync(bin, { recursive: true, force: true });
  }
}

const setup = [path.join(repository, "scripts/setup.mjs")];

test("without Java, setup says so in one block with the ways out", () => {
  const { status, stderr } = runWith(["python3"], setup);
  assert.equal(status, 2);
  assert.match(stderr, /Java was not found/);
  assert.match(stderr, /openjdk/);
  assert.match(stderr, /KAFKA_BOOTSTRAP_SERVERS=/);
  assert.match(stderr, /docker compose up/);
});

test("without Python, setup says so, and what works without it", () => {
  const { status, stderr } = runWith(["java"], setup);
  assert.equal(status, 2);
  assert.match(stderr, /Python 3\.10 or newer was not found/);
  assert.match(stderr, /npx millrace run/);
});

test("on a disk without room, setup says how much there is and how much it takes", async (t) => {
  const disk = await smallFileSystem(8);
  if (disk === undefined) return t.skip("mounting a file system needs root");
  try {
    cpSync(path.join(repository, "scripts"), path.join(disk.folder, "scripts"), { recursive: true });
    const script = path.join(disk.folder, "scripts/setup.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8", timeout: 60_000 });
    assert.equal(status, 2);
    assert.match(stderr, /only 0\.0 GB are free on this disk; packages, JupyterLab and Kafka need 1\.5 GB/);
    assert.match(stderr, /free some space, or clone to another disk/);
  } finally {
    disk.unmount();
  }
});

test("how far npm is never stops it, also while it writes the lock file", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "millrace-setup-"));
  try {
    for (const name of ["scripts", "package.json", "package-lock.json", "lib/package.json", "kernel/package.json"])
      cpSync(path.join(repository, name), path.join(folder, name), { recursive: true });
    // the Python environment is there already
    const found = spawnSync("sh", ["-c", "command -v python3"], { encoding: "utf8" }).stdout.trim();
    mkdirSync(path.join(folder, ".venv/bin"), { recursive: true });
    symlinkSync(found, path.join(folder, ".venv/bin/python"));
    const requirements = readFileSync(path.join(folder, "scripts/requirements.txt"));
    writeFileSync(path.join(folder, ".venv/millrace.stamp"), createHash("sha256").update(requirements).digest("hex"));
    // an npm whose lock file is half written when it is asked how far it is
    const npm = path.join(folder, "npm.mjs");
    writeFileSync(
      npm,
      `import { writeFileSync } from "node:fs";
writeFileSync("package-lock.json", '{ "packages": {');
setTimeout(() => { console.log("the lock file was written to its end"); process.exit(3); }, 6000);`,
    );
    const { status, stderr } = spawnSync(process.execPath, [path.join(folder, "scripts/setup.mjs")], {
      encoding: "utf8",
      timeout: 60_000,
      env: { ...process.env, npm_execpath: npm },
    });
    assert.match(stderr, /installing npm packages and Node 24: still at it after 5 s/);
    assert.match(stderr, /failed \(exit code 3\)\.\n +the lock file was written to its end/);
    assert.equal(status, 2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("without Maven, the embedded broker says so with the ways out", () => {
  const cache = mkdtempSync(path.join(os.tmpdir(), "millrace-cache-"));
  try {
    const { status, stderr } = runWith(["java"], [main, "broker", "--port", "0"], { MILLRACE_CACHE: cache });
    assert.equal(status, 1);
    assert.match(stderr, /mvn was not found/);
    assert.match(stderr, /apt-get install maven/);
    assert.match(stderr, /docker compose up/);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});

test("a port in use is named, with another way", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  try {
    const { status, stderr } = runWith(["java", "mvn"], [main, "broker", "--port", String(port)]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is in use`));
    assert.match(stderr, /--port/);
  } finally {
    server.close();
  }
});

test("an unreachable Kafka ends the demo with one block that names the address", () => {
  const { status, stderr } = runWith(["java"], [main, "demo"], { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" });
  assert.equal(status, 1);
  assert.match(stderr, /127\.0\.0\.1:1/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});
