import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import test from "node:test";

const log = JSON.stringify(path.resolve(import.meta.dirname, "../../../lib/run/job/log.ts"));
const script = `import { stderrLog } from ${log};
stderrLog.info("partition opened", { partition: 3, rows: 12, from: "a b", nothing: undefined });
stderrLog.warn("back to the last checkpoint", { error: 'lost "it"\\nat once', share: 0.25, event: "other" });`;

function lines(format: string | undefined): string[] {
  const { MILLRACE_LOG_FORMAT: _, ...env } = process.env;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { ...env, ...(format !== undefined && { MILLRACE_LOG_FORMAT: format }) },
  });
  return stderr.trim().split("\n");
}

test("a line of text per event", () => {
  const [opened, back] = lines(undefined);
  assert.match(opened!, /^\d{4}-\d\d-\d\dT[\d:.]+Z info partition opened partition=3 rows=12 from="a b"$/);
  assert.match(back!, /warn back to the last checkpoint error="lost \\"it\\"" share=0\.250 event=other$/);
});

test("MILLRACE_LOG_FORMAT=json: an object per event, numbers as numbers, nothing cut", () => {
  const [opened, back] = lines("json").map((line) => JSON.parse(line));
  assert.ok(!Number.isNaN(Date.parse(opened.time)));
  assert.deepEqual(
    { ...opened, time: 0 },
    { time: 0, level: "info", event: "partition opened", partition: 3, rows: 12, from: "a b" },
  );
  assert.deepEqual(
    { ...back, time: 0 },
    { time: 0, level: "warn", event: "back to the last checkpoint", error: 'lost "it"\nat once', share: 0.25 },
  );
});
