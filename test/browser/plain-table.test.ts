import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { noChromium, openBrowser } from "../support/chromium.ts";
import { startFeed } from "../support/feed.ts";
import { startLab } from "../support/jupyter-lab.ts";
import { until } from "../support/until.ts";
import { choose, idle, writeNotebook } from "./front-end.ts";

test("without the lab extension a live frame is a plain table that updates in JupyterLab", {
  skip: noChromium,
  timeout: 180_000,
}, async () => {
  const servers = await sharedBroker();
  const topic = uniqueName("phones");
  const feed = await startFeed(servers, topic);
  const lab = await startLab({ KAFKA_BOOTSTRAP_SERVERS: servers }, { extension: false });
  const browser = await openBrowser();
  try {
    await writeNotebook(
      lab,
      "live.ipynb",
      'import { topic, pl } from "millrace";',
      `const phone = topic("${topic}", { key: "device", time: "timestamp" });\n` +
        'const total = phone.withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).alias("gForceTotal"));\ntotal',
    );
    const page = await browser.context.newPage();
    await page.goto(lab.url("live.ipynb"));
    await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor({ timeout: 60_000 });
    await idle(page);
    await choose(page, "Run", "Run All Cells");

    const output = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output").first();
    await output.locator("th", { hasText: "gForceTotal" }).first().waitFor({ timeout: 60_000 });
    const seen = async () => ((await output.textContent()) ?? "").replace(/\s+/g, " ");
    const first = await seen();
    await until("the table changes in place", async () => (await seen()) !== first, 20_000);
    // still one output: updated, not appended
    assert.equal(await page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-child").count(), 1);
    await idle(page); // the kernel is free while the table is live
  } finally {
    await browser.close();
    await lab.stop();
    await feed.stop();
  }
});
