import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

const root = path.resolve(import.meta.dirname, "../../..");

/** The names of this process's threads that Polars has made, where the system tells them. */
const THREADS = `
  const threads = () => fs.readdirSync("/proc/self/task")
    .map((id) => fs.readFileSync("/proc/self/task/" + id + "/comm", "utf8").trim())
    .filter((name) => name.startsWith("polars-"));`;

test("loading the library makes no query, so that a job can say how many threads Polars has: one", {
  skip: process.platform !== "linux",
}, () => {
  const code = `
    import fs from "node:fs";
    ${THREADS}
    const { pl, topic } = await import("./lib/index.ts");
    const { job } = await import("./lib/job.ts");
    const loaded = threads();
    job({ name: "threads", schemas: {} });
    await import("./lib/run/job/run-job.ts");
    const declared = threads();
    pl.DataFrame({ x: [1, 2, 1] }).groupBy("x").agg(pl.len());
    console.log(JSON.stringify({ loaded, declared, used: threads() }));`;
  const { POLARS_MAX_THREADS: _, ...env } = process.env;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  assert.deepEqual(JSON.parse(said), { loaded: [], declared: [], used: ["polars-0"] });
});
