import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { after, test } from "node:test";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { noChromium } from "../support/chromium.ts";
import { startFeed } from "../support/feed.ts";
import { pythonTool } from "../support/python.ts";
import { until } from "../support/until.ts";
import { choose, idle, picture, writeNotebook } from "./front-end.ts";
import { LONG, openLab } from "./notebook-page.ts";

/** A lab with a notebook that was run: a live table, a live chart, a sink. */
async function openNotebook() {
  const servers = await sharedBroker();
  const topic = uniqueName("phones");
  const feed = await startFeed(servers, topic);
  const { lab, browser } = await openLab({ KAFKA_BOOTSTRAP_SERVERS: servers });
  after(() => feed.stop());
  await writeNotebook(
    lab,
    "live.ipynb",
    'import { topic, pl } from "millrace";',
    `const phone = topic("${topic}", { key: "device", time: "timestamp" });\nphone`,
    'phone.plot({ x: "timestamp", y: "gForceX", by: "device", keep: 5000 })',
    'phone.filter(pl.col("gForceX").gt(0)).to("alerts", { key: "device" });',
  );
  const page = await browser.context.newPage();
  page.setDefaultTimeout(LONG);
  const elsewhere: string[] = [];
  await page.route(
    ({ protocol, hostname }) => protocol.startsWith("http") && hostname !== "127.0.0.1" && hostname !== "localhost",
    async (route) => {
      elsewhere.push(route.request().url());
      await route.abort();
    },
  );
  await page.goto(lab.url("live.ipynb"));
  await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor();
  await idle(page);
  await choose(page, "Run", "Run All Cells");
  return { page, topic, lab, elsewhere };
}

test("the lab extension, in JupyterLab", { skip: noChromium, timeout: 540_000 }, async (t) => {
  const { page, topic, lab, elsewhere } = await openNotebook();
  const table = page.locator(".jp-CodeCell").nth(1).locator(".mr-live");
  const line = async () => (await table.locator(".mr-line").textContent()) ?? "";
  const column = async (index: number) => {
    const cells = table.locator(`.mr-row .mr-td[aria-colindex="${index}"]`);
    return (await cells.allTextContents()).filter((text) => text !== "");
  };

  await t.test("a live frame is a table that changes in place", async () => {
    await table.locator(".mr-th", { hasText: "gForceX" }).waitFor();
    const first = await line();
    await until("the status changes", async () => (await line()) !== first, LONG);
    assert.match(await line(), /records\/s · lag \d+/);
    assert.equal(await page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-child").count(), 1);
    assert.ok((await column(1)).length >= 10);
    const cell = table.locator(".mr-row .mr-td").first();
    const text = await cell.evaluate((node: any) => {
      node.dataset.before = node.textContent;
      return node.textContent;
    });
    await until(
      "the same cell says something else",
      async () => (await cell.getAttribute("data-before")) === text && (await cell.textContent()) !== text,
      LONG,
    );
    await until("new rows are marked", async () => (await table.locator(".mr-row.mr-new").count()) > 0, LONG);
    await idle(page); // the kernel is free while the table is live
    await picture(page, "live-table");
  });

  await t.test("rows are filtered and sorted in the kernel, over all that is kept", async () => {
    await table.locator("select[aria-label='column to filter by']").selectOption("device");
    await table.locator("input[aria-label='value to filter by']").fill("phone-00001");
    await until(
      "only that device",
      async () => new Set(await column(1)).size === 1 && (await column(1))[0] === "phone-00001",
      LONG,
    );
    await table.locator("input[aria-label='value to filter by']").fill("");
    await table.locator(".mr-th", { hasText: "gForceX" }).click();
    await until(
      "rising gForceX",
      async () => {
        const shown = (await column(3)).map(Number);
        return (
          shown.length > 5 && shown.every((value, i) => i === 0 || value >= shown[i - 1]!) && shown[0]! < shown.at(-1)!
        );
      },
      LONG,
    );
    await table.locator(".mr-th", { hasText: "gForceX" }).click();
    await table.locator(".mr-th", { hasText: "gForceX" }).click();
  });

  await t.test("the latest row of each key", async () => {
    await table.locator("select[aria-label='view']").selectOption("latest");
    await until(
      "eight devices, once each",
      async () => {
        const devices = await column(1);
        return devices.length === 8 && new Set(devices).size === 8;
      },
      LONG,
    );
    await until("what changed is marked", async () => (await table.locator(".mr-td.mr-changed").count()) > 0, LONG);
    await table.locator("select[aria-label='view']").selectOption("last");
    await until("rows as they come again", async () => (await table.locator(".mr-row.mr-new").count()) > 0, LONG);
    await table.locator("select[aria-label='view']").selectOption("append");
  });

  await t.test("reading is paused and goes on", async () => {
    await table.getByRole("button", { name: "pause reading" }).click();
    await until("it is paused", async () => (await line()).startsWith("paused"), LONG);
    await table.getByRole("button", { name: "resume reading" }).click();
    await until("it reads", async () => (await line()).startsWith("reading"), LONG);
  });

  await t.test("a chart is drawn by the plotly.js that comes with the extension, once", async () => {
    const plot = page.locator(".jp-CodeCell").nth(2).locator(".mr-plot .main-svg").first();
    await plot.waitFor();
    const scripts = await page.evaluate(
      () => [...(globalThis as any).document.scripts].filter(({ src }: any) => /plotly\.js$/.test(src)).length,
    );
    assert.equal(scripts, 1);
    await plot.scrollIntoViewIfNeeded();
    await picture(page, "live-chart");
  });

  await t.test("a live chart grows: points are put to what is drawn, in the same graph", async () => {
    const plot = page.locator(".jp-CodeCell").nth(2).locator(".mr-plot");
    const points = () => plot.evaluate((node: any) => node.data.map(({ x }: any) => x.length) as number[]);
    await plot.evaluate((node: any) => {
      node.dataset.before = "here";
      const { Plotly } = globalThis as any;
      const calls: string[] = [];
      (globalThis as any).drawings = calls;
      for (const name of ["extendTraces", "react"]) {
        const original = Plotly[name];
        Plotly[name] = (...given: any[]) => {
          if (given[0] === node) calls.push(name);
          return original(...given);
        };
      }
    });
    const last = () => plot.evaluate((node: any) => Math.max(...node.data.map(({ x }: any) => Date.parse(x.at(-1)))));
    const [first, newest] = [await points(), await last()];
    assert.equal(first.length, 8, "a trace for each device");
    const drawings = () => page.evaluate(() => (globalThis as any).drawings as string[]);
    await until("five drawings", async () => (await drawings()).length >= 5, LONG);
    const calls = await drawings();
    assert.ok(calls.includes("extendTraces"), calls.join(" "));
    assert.ok(!calls.includes("react"), calls.join(" "));
    assert.ok((await last()) > newest);
    assert.equal(await plot.getAttribute("data-before"), "here");
  });

  await t.test("a live chart is paused and goes on, and says how it stands", async () => {
    const chart = page.locator(".jp-CodeCell").nth(2);
    const said = async () => (await chart.locator(".mr-line").textContent()) ?? "";
    await chart.getByRole("button", { name: "pause reading" }).click();
    await until("the chart is paused", async () => (await said()).startsWith("paused"), LONG);
    await chart.getByRole("button", { name: "resume reading" }).click();
    await until("the chart reads", async () => (await said()).startsWith("reading"), LONG);
  });

  await t.test("columns of a frame complete inside quotes", async () => {
    await page.locator(".jp-CodeCell").last().locator(".jp-InputPrompt").click();
    await page.keyboard.press("b");
    await page.keyboard.press("Enter");
    await page.keyboard.type('phone.filter(pl.col("gF');
    const items = page.locator(".jp-Completer-item");
    await until(
      "the columns are offered",
      async () => {
        // a busy machine answers later than JupyterLab waits: asked again then
        if ((await items.count()) === 0) await page.keyboard.press("Tab");
        await page.waitForTimeout(1000);
        return (await items.allTextContents()).some((text) => text.includes("gForceX"));
      },
      LONG,
    );
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("d");
    await page.keyboard.press("d");
    await until("the cell is gone", async () => (await page.locator(".jp-CodeCell").count()) === 4, LONG);
  });

  await t.test("the Streams panel lists what runs, and stops it", async () => {
    await page.locator('[data-id="millrace-streams"]').click();
    const streams = page.locator("#millrace-streams li");
    await until("table, chart and preview of the sink are listed", async () => (await streams.count()) === 3, LONG);
    const speed = /^reading · \d+ records\/s · lag [\d,]+$/;
    const speeds = () => streams.locator("small:nth-of-type(2)").allTextContents();
    await until("how fast each is, and how far behind", async () => (await speeds()).every((text) => speed.test(text)));
    await picture(page, "streams");
    await streams.last().getByRole("button", { name: /^stop/ }).click();
    await until("two are left", async () => (await streams.count()) === 2, LONG);
  });

  await t.test("the Topics browser shows a topic and inserts a typed cell", async () => {
    await page.locator('[data-id="millrace-topics"]').click();
    const panel = page.locator("#millrace-topics");
    await panel.getByRole("searchbox").fill(topic);
    await panel.getByRole("button", { name: `show ${topic}` }).click();
    await panel.getByRole("button", { name: "insert a cell" }).waitFor();
    const rows = async (nth: number) =>
      Promise.all(
        (await panel.locator(".mr-table").nth(nth).locator("tr").all()).map((row) =>
          row.locator("th, td").allTextContents(),
        ),
      );
    const [offsets, schema, sample] = [await rows(0), await rows(1), await rows(2)];
    assert.deepEqual(offsets[0], ["partition", "first", "end"]);
    assert.deepEqual(
      offsets.slice(1).map(([partition, first]) => [partition, first]),
      [
        ["0", "0"],
        ["1", "0"],
      ],
    );
    const kept = offsets.slice(1).reduce((sum, [, , end]) => sum + Number(end), 0);
    assert.ok(kept > 1000, `${kept} offsets`);
    assert.match(
      (await panel.textContent()) ?? "",
      new RegExp(`2 partitions, ${kept.toLocaleString("en")} offsets kept`),
    );
    assert.deepEqual(schema, [
      ["column", "dtype"],
      ["device", "Utf8"],
      ["timestamp", "Int64"],
      ...["gForceX", "gForceY", "gForceZ"].map((column) => [column, "Float64"]),
    ]);
    assert.deepEqual(
      sample[0],
      schema.slice(1).map(([column]) => column),
    );
    assert.equal(sample.length, 1 + 5);
    for (const [device, ...numbers] of sample.slice(1)) {
      assert.match(device!, /^phone-0000\d$/);
      assert.ok(numbers.length === 4 && numbers.every((text) => Number.isFinite(Number(text))), numbers.join(" "));
    }
    await picture(page, "topics");
    const before = await page.locator(".jp-CodeCell").count();
    await panel.getByRole("button", { name: "insert a cell" }).click();
    await until("a cell more", async () => (await page.locator(".jp-CodeCell").count()) === before + 1, LONG);
    const inserted = page.locator(".jp-CodeCell", { hasText: "schema: {" });
    assert.match((await inserted.textContent()) ?? "", /key: "device",\s*time: "timestamp"/);
    await inserted.locator(".cm-content").click();
    await page.keyboard.press("Control+Enter");
    await inserted
      .locator(".mr-live .mr-row .mr-td", { hasText: /^phone-0000\d$/ })
      .first()
      .waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("d");
    await page.keyboard.press("d");
    await until("it is gone again", async () => (await page.locator(".jp-CodeCell").count()) === before, LONG);
  });

  await t.test("after a reload of the page the output finds its stream again", async () => {
    await page.locator(".jp-CodeCell .jp-InputPrompt").first().click();
    await page.keyboard.press("Control+s");
    await until(
      "it is saved, with its table",
      async () => /vnd\.millrace\.live/.test(await readFile(path.join(lab.folder, "live.ipynb"), "utf8")),
      LONG,
    );
    const { cells } = JSON.parse(await readFile(path.join(lab.folder, "live.ipynb"), "utf8"));
    assert.match(cells[3].metadata.millrace.sha256, /^[0-9a-f]{64}$/, "a cell without output has its record too");
    const seconds = () =>
      table
        .locator(".mr-sparkline polyline")
        .evaluate((node) => node.getAttribute("points").split(" ").length as number);
    const before = await seconds();
    assert.ok(before > 5, `${before} seconds of history`);
    await page.reload();
    const first = await until("the table is there", async () => (await table.count()) > 0 && (await line()), LONG);
    assert.ok((await seconds()) >= before, "its history is that of the stream, not of the page");
    await until("and live", async () => (await line()) !== first, LONG);
  });

  await t.test(
    "nbconvert makes a page of the saved notebook, with the table, its last minute and the chart",
    async () => {
      const saved = path.join(lab.folder, "live.ipynb");
      const { status, stderr } = spawnSync(pythonTool("jupyter-nbconvert"), ["--to", "html", saved], {
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
      const html = await readFile(path.join(lab.folder, "live.html"), "utf8");
      const outputs = html.split('<div class="millrace-live">').slice(1);
      assert.equal(outputs.length, 3, "table, chart and preview");
      assert.match(
        outputs[0]!,
        /<svg [^>]*aria-label="records read in each of \d+ seconds[^>]*>.*<polyline [^>]*points="[\d., ]+"/s,
      );
      assert.match(outputs[0]!, /<th scope="col">gForceX<br ?\/?><small>Float64<\/small>.*<td>phone-0000\d<\/td>/s);
      assert.match(outputs[1]!, /<svg [^>]*aria-label="[^"]*: gForceX over timestamp".*<path /s);
      for (const output of outputs) assert.match(output, /records\/s · lag .*as of 20.* UTC · offsets/s);
    },
  );

  await t.test("Promote shows what is kept, and writes the job", async () => {
    // what is live takes the browser all it has
    for (const at of [1, 2])
      await page.locator(".jp-CodeCell").nth(at).getByRole("button", { name: "pause reading" }).click();
    await page.locator(".mr-promote-button button").click();
    const report = page.frameLocator("iframe.mr-report");
    await report.getByText("3 of 5 statements become the job.").waitFor();
    await picture(page, "promote");
    const write = page.getByRole("button", { name: "promote this notebook to a job folder beside it" });
    await write.click();
    await page.getByText(/promoting, \d+ s: (finding|executing|packing)/).waitFor();
    await page.getByRole("button", { name: "cancel the promotion" }).click();
    await page.getByText("cancelled: nothing was written").waitFor();
    await assert.rejects(access(path.join(lab.folder, "live-job/main.ts")));
    await write.click();
    await page.locator(".mr-promote .mr-list button", { hasText: "main.ts" }).waitFor({ timeout: 150_000 });
    assert.match(await readFile(path.join(lab.folder, "live-job/main.ts"), "utf8"), /gForceX/);
    await access(path.join(lab.folder, "live-job/promotion.json"));
    await page.locator(".mr-promote .mr-list button", { hasText: "main.ts" }).first().click();
    await page.locator(".lm-TabBar-tabLabel", { hasText: "main.ts" }).waitFor();
  });

  await t.test("what is set in the settings editor is so at once", async () => {
    const rows = () =>
      table
        .locator(".mr-row")
        .first()
        .evaluate((node) => node.offsetHeight as number);
    await page.locator(".lm-TabBar-tabLabel", { hasText: "live.ipynb" }).first().click();
    assert.equal(await rows(), 22);
    await choose(page, "Settings", "Settings Editor");
    await page.locator(".jp-PluginList .jp-PluginList-entry", { hasText: "Millrace" }).first().click();
    await page.locator('select[id$="millrace-lab:plugin_density"]').selectOption({ label: "compact" });
    await page.locator("body.mr-compact").waitFor({ state: "attached" });
    await page.locator(".lm-TabBar-tabLabel", { hasText: "live.ipynb" }).first().click();
    assert.equal(await rows(), 18);
  });

  await t.test(
    "after a restart of the kernel outputs are what they last showed, and say nothing of being live",
    async () => {
      await page.locator(".lm-TabBar-tabLabel", { hasText: "live.ipynb" }).first().click();
      assert.ok((await page.locator(".mr-live").count()) > 0);
      await choose(page, "Kernel", "Restart Kernel…");
      await page.locator(".jp-Dialog .jp-mod-accept").click();
      await until("no table is live", async () => (await page.locator(".mr-live").count()) === 0, LONG);
      await page
        .locator(".jp-CodeCell")
        .nth(1)
        .getByText(/as of 20.* UTC · offsets/)
        .waitFor();
    },
  );

  await t.test("nothing was asked of any other machine", () => assert.deepEqual(elsewhere, []));
});
