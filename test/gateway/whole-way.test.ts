import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { WebSocket } from "ws";
import { start } from "../../kernel/demo/child.ts";
import { notebookText } from "../promote/notebooks.ts";
import { feedPhones } from "../promote/phones.ts";
import { millrace } from "../promote/run-command.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { noChromium, openBrowser } from "../support/chromium.ts";
import { until } from "../support/until.ts";

const TOKEN = "a-token-of-this-test";
const cli = path.resolve(import.meta.dirname, "../../kernel/cli/main.ts");

// The seed of the project: websocket in, topic, promoted job, topic, websocket out, one crash seen in a browser.
test("a phone crashes, and a browser shows it", { skip: noChromium }, async () => {
  const servers = await sharedBroker();
  const [phones, alerts] = [uniqueName("phone-data"), uniqueName("crash-alerts")];
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-whole-way-"));
  const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: servers, MILLRACE_GATEWAY_TOKEN: TOKEN };
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    // the analyst: a notebook over phones that lie still, run headless, promoted
    await feedPhones(servers, phones, 400, 4);
    const notebook = path.join(folder, "crashes.ipynb");
    await writeFile(
      notebook,
      notebookText([
        'import { param, pl, topic } from "millrace";',
        `const phone = topic(${JSON.stringify(phones)}, { key: "device", time: "timestamp" });\n(await phone.collect()).height`,
        `const total = phone.withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).plus(pl.col("gForceZ").abs()).alias("gForceTotal"));
const moving = total.withColumns(pl.col("gForceTotal").diff(1, "ignore").over("device").alias("delta"));
moving.filter(pl.col("delta").gt(param("threshold", 50))).to(${JSON.stringify(alerts)}, { key: "device" });`,
      ]),
    );
    const job = path.join(folder, "job");
    for (const args of [
      ["run", notebook],
      ["promote", notebook, "--out", job],
    ]) {
      const done = await millrace(args, { env });
      assert.equal(done.code, 0, done.stderr);
    }
    // that npm installs a job is shown in test/promote/job.test.ts and test/whole-way
    await mkdir(path.join(job, "node_modules"));
    await symlink(path.resolve(import.meta.dirname, "../../lib"), path.join(job, "node_modules", "millrace"));

    // operations: the job and the gateway
    await mkdir(path.join(folder, "state"));
    const running = start(process.execPath, ["main.ts"], {
      cwd: job,
      env: {
        ...env,
        MILLRACE_JOB_NAME: uniqueName("job"),
        MILLRACE_STATE_DIR: path.join(folder, "state"),
        MILLRACE_COMMIT_INTERVAL: "100ms",
        MILLRACE_FROM: "latest",
      },
    });
    ends.push(() => running.stop());
    let url = "";
    const gateway = start(
      process.execPath,
      [cli, "gateway", "--port", "0", "--in", phones, "--key", "device", "--time", "timestamp", "--out", alerts],
      {
        env,
        onLine: (line) => {
          url ||= line;
        },
      },
    );
    ends.push(() => gateway.stop());
    await until("the gateway listens", () => url);
    await until("the job has its four partitions", () => running.stderr().split("partition opened").length > 4); // latest: what comes before is not its

    // the emergency desk: a browser at the gateway's page
    const { context, close } = await openBrowser();
    ends.push(close);
    const page = await context.newPage();
    const mistakes: string[] = [];
    page.on("pageerror", (error) => mistakes.push(String(error)));
    await page.goto(`${url}/#token=${TOKEN}`);
    await page.getByText("0 records").waitFor();

    // the phone: still, then a crash, every reading acknowledged
    const phone = new WebSocket(`${url.replace(/^http/, "ws")}/in`, { headers: { authorization: `Bearer ${TOKEN}` } });
    ends.push(async () => phone.terminate());
    let accepted = 0;
    phone.on("message", (data) => {
      accepted = JSON.parse(String(data)).accepted;
    });
    await until("the phone is connected", () => phone.readyState === WebSocket.OPEN);
    const at = Date.parse("2026-05-01T12:00:00Z");
    for (const [i, force] of [1, 1, 99, 1].entries())
      phone.send(
        JSON.stringify({ device: "<b>mine</b>", timestamp: at + i, gForceX: 0.5, gForceY: -0.25, gForceZ: force }),
      );
    await until("Kafka has all readings", () => accepted === 4);

    const row = page.locator("tbody tr").first();
    await row.waitFor({ timeout: 20_000 });
    const [time, topic, key, value] = await row.locator("td").allTextContents();
    assert.deepEqual([time, topic, key], ["2026-05-01T12:00:00.002Z", alerts, "<b>mine</b>"]);
    const { gForceTotal, delta } = JSON.parse(value!);
    assert.deepEqual([gForceTotal, delta], [99.75, 98]);
    await page.getByText("1 record", { exact: true }).waitFor();
    assert.equal(await page.locator("tbody tr").count(), 1);
    assert.deepEqual(mistakes, []);
    if (process.env.MILLRACE_SCREENSHOTS)
      await page.screenshot({ path: path.join(process.env.MILLRACE_SCREENSHOTS, "gateway.png") });
  } finally {
    for (const end of ends.reverse()) await end();
  }
});
