import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const MAIN = path.resolve(import.meta.dirname, "..", "..", "..", "kernel", "cli", "main.ts");
const folder = await mkdtemp(path.join(tmpdir(), "mill race "));
after(() => rm(folder, { recursive: true, force: true }));

function millrace(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    env: { ...process.env, VIRTUAL_ENV: undefined, CONDA_PREFIX: undefined, ...env },
  });
  return { status, stdout, stderr };
}

const spec = (data: string, name = "millrace") => path.join(data, "kernels", name);

for (const [args, data, env] of [
  [["--prefix", path.join(folder, "p")], path.join(folder, "p", "share", "jupyter"), {}],
  [["--sys-prefix"], path.join(folder, "v", "share", "jupyter"), { VIRTUAL_ENV: path.join(folder, "v") }],
  [["--user"], path.join(folder, "u"), { JUPYTER_DATA_DIR: path.join(folder, "u") }],
  [[], path.join(folder, "d"), { JUPYTER_DATA_DIR: path.join(folder, "d") }],
] as const)
  test(`install ${args[0] ?? "(no option)"} and uninstall, in a path with spaces`, async () => {
    const { status, stderr } = millrace(["install", ...args], env);
    assert.equal(status, 0, stderr);
    const kernel = JSON.parse(await readFile(path.join(spec(data), "kernel.json"), "utf8"));
    assert.equal(kernel.display_name, "TypeScript (Millrace)");
    assert.equal(kernel.language, "typescript");
    assert.equal(kernel.interrupt_mode, "message");
    assert.ok(path.isAbsolute(kernel.argv[0]) && existsSync(kernel.argv[0]));
    assert.equal(kernel.argv.at(-1), "{connection_file}");
    assert.ok(kernel.argv.some((part: string) => part.endsWith("main.ts") && existsSync(part)));
    assert.deepEqual((await readdir(spec(data))).sort(), [
      "kernel.json",
      "logo-32x32.png",
      "logo-64x64.png",
      "logo-svg.svg",
    ]);
    assert.equal(millrace(["uninstall", ...args], env).status, 0);
    assert.equal(existsSync(spec(data)), false);
  });

test("another name", () => {
  assert.equal(millrace(["install", "--prefix", folder, "--name", "mine"]).status, 0);
  assert.ok(existsSync(spec(path.join(folder, "share", "jupyter"), "mine")));
});

for (const [what, args, says] of [
  ["no active environment", ["install", "--sys-prefix"], /no Python environment is active[\s\S]*what to do/],
  ["a name that is none", ["install", "--prefix", folder, "--name", "a/b"], /no name for a kernelspec/],
  ["two places at once", ["install", "--user", "--prefix", folder], /cannot be used with/],
  ["nothing to uninstall", ["uninstall", "--prefix", path.join(folder, "empty")], /there is no kernelspec/],
] as const)
  test(`refused with exit code 2: ${what}`, () => {
    const { status, stderr } = millrace(args);
    assert.equal(status, 2);
    assert.match(stderr, says);
  });
