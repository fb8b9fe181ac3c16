// A notebook that promotion refuses, in JupyterLab: the panel says why, where and what to do, and promotes once that is done.
import assert from "node:assert/strict";
import { access, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { readings, testTopics } from "../run/notebook/topics.ts";
import { noChromium } from "../support/chromium.ts";
import { until } from "../support/until.ts";
import { choose, picture, prompts } from "./front-end.ts";
import { LONG, openLab, openNotebook } from "./notebook-page.ts";

const { bootstrapServers, create, write } = await testTopics();

async function openAlerts() {
  const topic = await create("phones", 1);
  await write(topic, readings(200));
  const { lab, browser } = await openLab({ KAFKA_BOOTSTRAP_SERVERS: bootstrapServers });
  const page = await openNotebook(lab, browser.context, "alerts.ipynb", [
    'import { topic, pl } from "millrace";',
    `const phone = topic("${topic}", { key: "device" });\nawait phone.collect()`,
    '\nconst hard = phone.filter(pl.col("gForceX").gt(1));',
    'hard.to("alerts", { key: "device" });',
  ]);
  return { page, lab };
}

test("a notebook that is refused, in JupyterLab", { skip: noChromium, timeout: 400_000 }, async (t) => {
  const { page, lab } = await openAlerts();
  const panel = page.locator(".mr-promote");
  const said = panel.getByRole("status");
  const report = page.frameLocator("iframe.mr-report");
  const against = report.locator(".problem");
  const tab = (name: string) => page.locator(".lm-TabBar-tabLabel", { hasText: name }).first().click();
  const press = (name: string) => panel.getByRole("button", { name }).click();
  const ran = (...counts: readonly string[]) =>
    until(`cells ran as ${counts}`, async () => (await prompts(page)).join() === counts.join(), LONG);
  const written = path.join(lab.folder, "alerts-job/main.ts");
  await choose(page, "Run", "Run All Cells");
  await ran("[1]:", "[2]:", "[3]:", "[4]:");

  await t.test(
    "edited since it ran: the cell, its line and the remedy, before and when it is to be written",
    async () => {
      await page.locator(".jp-CodeCell").nth(2).locator(".cm-content").click();
      await page.keyboard.press("Control+a");
      await page.keyboard.insertText('\nconst hard = phone.filter(pl.col("gForceX").gt(2));');
      await page.locator(".mr-promote-button button").click();
      await against.getByText(/^EDITED_SINCE_RUN cell 3, line 2:/).waitFor();
      assert.match(
        (await against.locator(".reason").first().textContent()) ?? "",
        /run it again, and the cells after it, and save/,
      );
      // the report may be written anew meanwhile
      await until("nothing else is against it", async () => (await against.count()) === 1, LONG);
      await press("promote this notebook to a job folder beside it");
      await said.getByText("alerts.ipynb is not promoted (1 reason).").waitFor();
      await said.getByText(/what to do: run it again/).waitFor();
      const text = (await said.textContent()) ?? "";
      assert.match(text, /EDITED_SINCE_RUN: .*\n +where: cell 3 \(a3\), line 2\n +2 \| const hard = .*gt\(2\)\);\n/);
      assert.match(text, /what to do: run it again, and the cells after it, and save/);
      assert.doesNotMatch(text, /finding what the sinks need/, "how far it had come is no part of a refusal");
      await assert.rejects(access(written));
      await picture(page, "promote-refused");
    },
  );

  const dialog = page.locator(".jp-Dialog");
  await t.test("looked at and promoted while it is being saved: each waits for the save before it", async () => {
    await tab("alerts.ipynb");
    await page.locator(".jp-CodeCell").nth(2).locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText('const hard = phone.filter(pl.col("gForceX").gt(2)); // saved slowly');
    let writing = false;
    await page.route("**/api/contents/alerts.ipynb*", async (route) => {
      const response = await route.fetch(); // what is written is on disk before JupyterLab hears of it
      if (route.request().method() === "PUT") {
        writing = true;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      await route.fulfill({ response });
    });
    await choose(page, "File", "Save Notebook");
    await until("it is being saved", async () => writing, LONG);
    await tab("Promotion");
    await press("look at the notebook again");
    await press("promote this notebook to a job folder beside it");
    await said.getByText(/\| const hard = .* \/\/ saved slowly/).waitFor();
    assert.equal(await dialog.count(), 0, "nothing is asked");
    await page.unrouteAll({ behavior: "wait" });
  });

  await t.test("changed on disk, and not to be overwritten: the panel says that it was not saved", async () => {
    const file = path.join(lab.folder, "alerts.ipynb");
    await press("look at the notebook again");
    await until("it has been saved and looked at", async () => (await said.textContent()) === "");
    await writeFile(file, `${await readFile(file, "utf8")} `);
    await press("promote this notebook to a job folder beside it");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await said.getByText("This notebook was not saved (Cancel): save it, and try again.").waitFor();
    await press("promote this notebook to a job folder beside it");
    await dialog.getByRole("button", { name: "Overwrite" }).click();
    await said.getByText("alerts.ipynb is not promoted (1 reason).").waitFor();
  });

  await t.test("run out of order: so is that, once one has it looked at again", async () => {
    await tab("alerts.ipynb");
    await page.locator(".jp-CodeCell").nth(2).locator(".cm-content").click();
    await page.keyboard.press("Control+Enter");
    await ran("[1]:", "[2]:", "[5]:", "[4]:");
    await tab("Promotion");
    await press("look at the notebook again");
    await against.getByText(/^OUT_OF_ORDER cell 4, line 1:/).waitFor();
    assert.doesNotMatch((await said.textContent()) ?? "", /EDITED_SINCE_RUN/);
    await press("promote this notebook to a job folder beside it");
    await said.getByText(/OUT_OF_ORDER: .*\n +where: cell 4 \(a4\), line 1\n[\s\S]*what to do: /).waitFor();
    await assert.rejects(access(written));
  });

  await t.test("restarted and run from above: the same panel promotes", async () => {
    await tab("alerts.ipynb");
    await choose(page, "Kernel", "Restart Kernel and Run All Cells…");
    await page.locator(".jp-Dialog .jp-mod-accept").click();
    await ran("[1]:", "[2]:", "[3]:", "[4]:");
    await tab("Promotion");
    await press("promote this notebook to a job folder beside it");
    await said.getByText("written to alerts-job").waitFor({ timeout: 150_000 });
    assert.match(await readFile(written, "utf8"), /gt\(2\)/);
    await report.getByText("4 of 5 statements become the job.").waitFor();
    assert.equal(await against.count(), 0);
    await panel.locator("li").getByRole("button", { name: "open main.ts", exact: true }).waitFor();
  });
});
