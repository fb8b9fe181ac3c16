import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { noChromium, openBrowser } from "../support/chromium.ts";
import { startFeed } from "../support/feed.ts";
import { startLab } from "../support/jupyter-lab.ts";
import { until } from "../support/until.ts";

const code = (id: string, source: string) => ({
  cell_type: "code",
  id,
  source,
  metadata: {},
  outputs: [],
  execution_count: null,
});

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
    const notebook = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: "millrace", display_name: "TypeScript (Millrace)", language: "typescript" } },
      cells: [
        code("a1", 'import { topic, pl } from "millrace";'),
        code(
          "a2",
          `const phone = topic("${topic}", { key: "device", time: "timestamp" });\n` +
            'const total = phone.withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).alias("gForceTotal"));\ntotal',
        ),
      ],
    };
    await writeFile(path.join(lab.folder, "live.ipynb"), JSON.stringify(notebook));
    const page = await browser.context.newPage();
    await page.goto(lab.url("live.ipynb"));
    await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor({ timeout: 60_000 });
    await page
      .getByText(/TypeScript \(Millrace\) \| Idle/)
      .first()
      .waitFor({ timeout: 60_000 });
    await page.click('.lm-MenuBar-itemLabel:text("Run")');
    await page.click('.lm-Menu-itemLabel:text("Run All Cells")');

    const output = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output").first();
    await output.locator("th", { hasText: "gForceTotal" }).first().waitFor({ timeout: 60_000 });
    const seen = async () => ((await output.textContent()) ?? "").replace(/\s+/g, " ");
    const first = await seen();
    await until("the table changes in place", async () => (await seen()) !== first, 20_000);
    // still one output: updated, not appended
    assert.equal(await page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-child").count(), 1);
    // the kernel is free while the table is live
    await page
      .getByText(/TypeScript \(Millrace\) \| Idle/)
      .first()
      .waitFor({ timeout: 20_000 });
  } finally {
    await browser.close();
    await lab.stop();
    await feed.stop();
  }
});
