import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { run, temporaryFolder } from "./support.ts";

test("--help tells the flags, those of parameters too, and runs nothing", { timeout: 60_000 }, async () => {
  const lib = path.resolve(import.meta.dirname, "../../../lib");
  const script = `
    import { param, topic } from "${lib}/index.ts";
    import { job } from "${lib}/job.ts";
    const main = job({ name: "helpful", schemas: {} });
    param("maxLag", 5, { description: "seconds behind" });
    topic("nowhere").to("nothing");
    await main.run();`;
  const file = path.join(await temporaryFolder(), "main.ts");
  await writeFile(file, script);
  const { code, stdout, stderr } = await run([file, "--help"], { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" }).ended;
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /The stream job helpful[\s\S]*--until end +stop[\s\S]*--max-lag NUMBER +seconds behind; 5 by default \(MAX_LAG\)/,
  );
});

test("SIGTERM before the work begins ends a job with 0, and a replay with 1", { timeout: 60_000 }, async () => {
  const lib = path.resolve(import.meta.dirname, "../../../lib");
  const script = `
    import { job } from "${lib}/job.ts";
    job({ name: "early", schemas: {} });
    process.kill(process.pid, "SIGTERM");
    setTimeout(() => process.exit(7), 30_000);`;
  const file = path.join(await temporaryFolder(), "main.ts");
  await writeFile(file, script);
  for (const [env, expected] of [
    [{}, 0],
    [{ MILLRACE_REPLAY: "samples" }, 1],
  ] as const) {
    const { code, stderr } = await run([file], env).ended;
    assert.equal(code, expected, stderr);
    assert.match(stderr, /stopped before it began signal=SIGTERM/);
  }
});
