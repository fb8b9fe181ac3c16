// Jupyter Notebook 7, driven as a person would.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { noChromium } from "../support/chromium.ts";
import { startFeed } from "../support/feed.ts";
import { until } from "../support/until.ts";
import { choose, idle, picture, prompts } from "./front-end.ts";
import { openLab, openNotebook } from "./notebook-page.ts";

const LONG = 120_000;

async function openLive(): Promise<Page> {
  const servers = await sharedBroker();
  const topic = uniqueName("phones");
  const feed = await startFeed(servers, topic);
  const { lab, browser } = await openLab({ KAFKA_BOOTSTRAP_SERVERS: servers }, { program: "notebook" });
  after(() => feed.stop());
  const cells = [
    `import { topic, pl } from "millrace";\nconst phone = topic("${topic}", { key: "device", time: "timestamp" });\nphone`,
    'phone.plot({ x: "timestamp", y: "gForceX", by: "device" })',
    'pl.DataFrame({ name: ["a", "b"], n: [1, 2] })',
    "let turns = 0;\nconsole.log('in the loop');\nfor (;;) turns++;",
    "turns > 1000",
  ];
  return await openNotebook(lab, browser.context, "live.ipynb", cells, LONG);
}

test("Notebook 7", { skip: noChromium, timeout: 420_000 }, async (t) => {
  const page = await openLive();
  const cell = (at: number) => page.locator(".jp-CodeCell").nth(at);
  // a loop keeps the streams that begin with it from their first records
  await cell(3).locator(".jp-InputPrompt").click();
  await choose(page, "Run", "Run All Above Selected Cell");

  const table = cell(0).locator(".mr-live");
  await t.test("a live frame is a table", () => table.locator(".mr-th", { hasText: "gForceX" }).waitFor());

  await t.test("a live chart is drawn", () => cell(1).locator(".mr-plot .main-svg").first().waitFor());

  await t.test("a frame is a table", async () => {
    const rows = cell(2).locator(".jp-OutputArea-output table.dataframe tbody tr");
    await until("two rows", async () => (await rows.count()) === 2, LONG);
    assert.deepEqual(await rows.first().locator("td").allTextContents(), ["a", "1"]);
  });

  await t.test("the stop button ends a loop; what waited behind it is not run; the session lives on", async () => {
    await cell(3).locator(".jp-InputPrompt").click();
    await choose(page, "Run", "Run Selected Cell and All Below");
    await cell(3).locator(".jp-OutputArea-output", { hasText: "in the loop" }).waitFor();
    await page.locator('jp-button[data-command="notebook:interrupt-kernel"]').click();
    await cell(3).locator(".jp-OutputArea-output", { hasText: "Interrupted" }).first().waitFor();
    await idle(page);
    assert.match((await prompts(page)).at(-1)!, /^\[ ?\]:$/);
    await cell(4).locator(".jp-InputPrompt").click();
    await page.keyboard.press("Control+Enter");
    await cell(4).locator(".jp-OutputArea-output", { hasText: "true" }).waitFor();
  });

  await t.test("what was live before the loop still changes, in place", async () => {
    const line = async () => (await table.locator(".mr-line").textContent()) ?? "";
    const first = await line();
    await until("the status changes", async () => (await line()) !== first, LONG);
    assert.equal(await cell(0).locator(".jp-OutputArea-child").count(), 1);
    await picture(page, "notebook-7");
  });
});
