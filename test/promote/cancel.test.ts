// Ctrl-C, or SIGTERM of a supervisor, in the middle of a promotion or a replay: what they had started and laid down is gone.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { until } from "../support/until.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";

const MAIN = path.resolve(import.meta.dirname, "../../kernel/cli/main.ts");
/** Says who it is, hears no one who asks it to end, and never ends. */
const ENDLESS = `process.on("SIGTERM", () => {});
fs.writeFileSync("pid", String(process.pid));
await new Promise(() => setInterval(() => {}, 1000));`;

/** Cancels a command once the process that it starts in `folder` is at its endless work. */
async function cancelled(signal: "SIGINT" | "SIGTERM", folder: string, args: readonly string[]) {
  const temporary = await temporaryFolder();
  const laid = async () => (await readdir(temporary)).filter((name) => name.startsWith("millrace-"));
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...inherited, TMPDIR: temporary },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const exit = once(child, "exit");
  try {
    const started = await until("the work has begun", async () => {
      assert.equal(child.exitCode, null, stderr);
      return Number(await readFile(path.join(folder, "pid"), "utf8").catch(() => ""));
    });
    assert.notDeepEqual(await laid(), [], "it keeps what it makes in the temporary folder");
    child.kill(signal);
    const [code] = await exit;
    await until("what it had started is gone", () => !existsSync(`/proc/${started}`));
    return { code, stderr, left: await laid() };
  } finally {
    child.kill("SIGKILL");
  }
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`promote, ended by ${signal}`, async () => {
    const folder = await temporaryFolder();
    const notebook = path.join(folder, "endless.ipynb");
    await writeFile(
      notebook,
      notebookText([
        'import fs from "node:fs";\nimport { topic } from "millrace";',
        { tags: ["keep"], source: ENDLESS },
        'topic("in").to("out");',
      ]),
    );
    const out = path.join(folder, "job");
    const ended = await cancelled(signal, folder, ["promote", notebook, "--out", out]);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, /^cancelled: nothing was written$/m);
    assert.deepEqual(ended.left, []);
    assert.ok(!existsSync(out));
  });

  test(`replay, ended by ${signal}`, async () => {
    const job = path.join(await temporaryFolder(), "job");
    await mkdir(job);
    await writeFile(path.join(job, "main.ts"), `import fs from "node:fs";\n${ENDLESS}`);
    const recorded = { samples: {}, expected: {} };
    await writeFile(path.join(job, "promotion.json"), JSON.stringify({ parameters: [], recorded }));
    const ended = await cancelled(signal, job, ["replay", job]);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, /^cancelled: nothing was compared$/m);
    assert.deepEqual(ended.left, []);
  });
}
