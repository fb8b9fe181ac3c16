// The first installation of a version, which makes the library's declarations: in a copy of the repository that has none yet.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const repository = path.resolve(import.meta.dirname, "../../..");
const folder = await mkdtemp(path.join(tmpdir(), "millrace-first-"));
after(() => rm(folder, { recursive: true, force: true }));
for (const name of ["lib", "kernel", "package.json", "LICENSE"])
  await cp(path.join(repository, name), path.join(folder, name), { recursive: true });
await symlink(path.join(repository, "node_modules"), path.join(folder, "node_modules"), "junction");

/** Installs; ends it by Ctrl-C at the first line that `cancelAt` matches. */
async function install(cancelAt?: RegExp) {
  const args = [path.join(folder, "kernel/cli/main.ts"), "install", "--prefix", path.join(folder, "prefix")];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, MILLRACE_CACHE: path.join(folder, "cache"), VIRTUAL_ENV: undefined },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    if (cancelAt?.test(stdout)) child.kill("SIGINT");
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, lines: stdout.trimEnd().split("\n") };
}

const HOW_FAR = /^making the library's declarations: (\d+) of (\d+) files, [\d,]+ files\/s, \d+ (?:s|min) left$/m;

test("Ctrl-C ends it and leaves nothing behind", async () => {
  const { signal, lines } = await install(HOW_FAR);
  assert.equal(signal, "SIGINT", lines.join("\n"));
  assert.deepEqual((await readdir(folder)).sort(), ["LICENSE", "kernel", "lib", "node_modules", "package.json"]);
});

test("it says how far it is, how fast, and how long it will still take; the second has nothing to make", async () => {
  const { code, lines } = await install();
  assert.equal(code, 0, lines.join("\n"));
  assert.match(lines[0]!, /^making the library's declarations for the editor, once for this version/);
  const told = lines.map((line) => HOW_FAR.exec(line)).filter((found) => found !== null);
  assert.ok(told.length > 0, lines.join("\n"));
  const shares = told.map(([, done, total]) => Number(done) / Number(total));
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  assert.ok(shares.every((share) => share > 0 && share < 1));
  assert.match(lines[told.length + 1]!, /^made the library's declarations in \d+ s$/);
  const again = await install();
  assert.equal(again.code, 0);
  assert.match(again.lines[0]!, /^installed the kernelspec/);
});
