// Live tables and charts of frames that are odd, large, or not there yet, and those who use them by keyboard or by ear.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { testTopics } from "../run/notebook/topics.ts";
import { uniqueName } from "../support/broker.ts";
import { noChromium } from "../support/chromium.ts";
import { until } from "../support/until.ts";
import { contrasts } from "./contrast.ts";
import { LONG, openLab, runNotebook } from "./notebook-page.ts";

const MARKUP = '<img src=x onerror="globalThis.ran = 1"><b>bold</b>';
const ODD = {
  "a.b": 1,
  "with space": "v",
  'quo"te': 'it\'s "quoted"',
  "<script>globalThis.ran = 2</script>": MARKUP,
  名前: "日本語",
  rtl: "مرحبا שלום",
  huge: "HUGE",
  long: "x".repeat(20_000),
  list: [1, 2, 3],
  nested: { a: { b: [{ c: 9, d: MARKUP }] }, e: null },
  "": "without a name",
  constructor: 7,
};
const HUGE = "9007199254740993"; // 2^53 + 1: no double

/** Of it on screen at a time. */
const ROWS = 20;
/** Kinds of charts, and what Plotly draws for two rows: marks, and so many. Lines are drawn elsewhere. */
const KINDS = [
  ["scatter", ".scatterlayer .points path", 2],
  ["bar", ".barlayer .point path", 2],
  ["histogram", ".barlayer .point path", 30], // a bar for each bin, most of no height
  ["heatmap", ".heatmaplayer image", 1],
] as const;
/** A figure that the library had no hand in. */
const OWN = { data: [{ type: "bar", x: ["a", "b", "c"], y: [1, 3, 2] }], layout: { title: { text: "my own" } } };

const { bootstrapServers, create, write } = await testTopics();
const START = Date.UTC(2026, 0, 1, 12);
/** Rows of the long table; `MILLRACE_LONG_TESTS=1`: the number of the issue. */
const MANY = process.env.MILLRACE_LONG_TESTS === "1" ? 100_000 : 20_000;

async function openAll() {
  const [odd, wide, long, feed] = [
    await create("odd", 1),
    await create("wide", 1),
    await create("long", 1),
    uniqueName("later"),
  ];
  const json = JSON.stringify(ODD).replace('"HUGE"', HUGE);
  await write(odd, [
    { key: "k", value: json, timestamp: START },
    { key: "k", value: json.replace('"a.b":1', '"a.b":2'), timestamp: START + 1 },
  ]);
  const columns = Object.fromEntries(Array.from({ length: 500 }, (_, c) => [`column_${c}`, c]));
  await write(wide, [{ key: "k", value: JSON.stringify(columns), timestamp: START }]);
  await write(
    long,
    Array.from({ length: MANY }, (_, n) => ({
      key: `k${n % 10}`,
      value: JSON.stringify({ n, m: (n * 7919) % MANY }),
      timestamp: START + n,
    })),
  );
  const { lab, browser } = await openLab({ KAFKA_BOOTSTRAP_SERVERS: bootstrapServers });
  const page = await runNotebook(lab, browser.context, "odd.ipynb", [
    `import { topic, pl } from "millrace"; const odd = topic("${odd}", { key: "k" });`,
    'odd.live({ from: "earliest" })',
    'odd.withColumns(pl.col("_time").cast(pl.Datetime("us", "America/New_York")).alias("there"), pl.lit(NaN).alias("nan"), pl.lit(-Infinity).alias("least"), pl.lit(null).alias("none")).select("there", "nan", "least", "none", "huge", "nested").live({ from: "earliest" })',
    'odd.select().live({ from: "earliest" })',
    `topic("${wide}").live({ from: "earliest" })`,
    `topic("${long}").live({ from: "earliest", keep: ${MANY}, rows: ${ROWS} })`,
    `topic("${feed}", { key: "k" }).live()`,
    'odd.plot({ x: "_time", y: "a.b", link: "z", from: "earliest" })',
    'odd.plot({ x: "_time", y: "constructor", link: "z", from: "earliest" })',
  ]);
  return { page, lab, browser, feed, odd, long };
}

test("odd frames in JupyterLab", { skip: noChromium, timeout: 400_000 }, async (t) => {
  const { page, lab, browser, feed, odd, long } = await openAll();
  const cell = (index: number, on: Page = page) => on.locator(".jp-CodeCell").nth(index);
  const table = (index: number) => cell(index).locator(".mr-live");
  const rows = (index: number) => table(index).locator(".mr-row");
  const texts = (index: number) => rows(index).first().locator(".mr-td").allTextContents();

  await t.test("names and values are text, whatever they hold", async () => {
    await until("two rows", async () => (await rows(1).count()) === 2, LONG);
    const heads = await table(1).locator(".mr-th b").allTextContents();
    assert.deepEqual(heads.slice(0, 5), ["k", ...Object.keys(ODD).slice(0, 4)]);
    assert.equal((await texts(1))[4], MARKUP);
    assert.equal(await page.locator(".mr-live img, .mr-live script, .mr-live .mr-td b").count(), 0);
    assert.equal(await page.evaluate(() => (globalThis as any).ran), undefined);
    // a column is chosen by what it is called, also by nothing; what has no one text cannot be compared
    const column = table(1).locator("select[aria-label='column to filter by']");
    const options = await column
      .locator("option")
      .evaluateAll((all) => all.map(({ label, disabled }: any) => [label, disabled]));
    assert.deepEqual(
      options.filter(([, off]) => off).map(([name]) => name),
      ["list", "nested"],
    );
    await column.selectOption(String(heads.length === 0 ? 0 : 11));
    await table(1).locator("input[aria-label='value to filter by']").fill("nothing like this");
    await table(1).getByText("no row matches the filter").waitFor();
    await table(1).locator("input[aria-label='value to filter by']").fill("");
  });

  await t.test("times of a zone, numbers that are none, and large integers keep their meaning", async () => {
    await until("two rows", async () => (await rows(2).count()) === 2, LONG);
    const [there, nan, least, none, huge, nested] = await texts(2);
    assert.equal(there, "2026-01-01 07:00:00.000-05:00");
    assert.deepEqual([nan, least, none, huge], ["NaN", "-Infinity", "null", HUGE]);
    assert.deepEqual(JSON.parse(nested!), ODD.nested);
  });

  await t.test("a frame without columns counts its rows", async () => {
    await table(3).getByText("2 rows without columns").waitFor();
  });

  await t.test("500 columns are there as one scrolls to them", async () => {
    await until("its row", async () => (await rows(4).count()) === 1, LONG);
    assert.ok((await texts(4)).length < 30);
    await table(4)
      .locator(".mr-scroll")
      .evaluate((grid) => {
        grid.scrollLeft = grid.scrollWidth;
      });
    await until("the last", async () => (await texts(4)).at(-1) === "499", LONG);
    assert.equal(await table(4).locator(".mr-th b").last().textContent(), "column_499");
  });

  await t.test(`${MANY} kept rows are scrolled, sorted and filtered, and only what is on screen is sent`, async () => {
    const grid = table(5).locator(".mr-scroll");
    await until("all rows", async () => (await grid.getAttribute("aria-rowcount")) === String(MANY + 1), LONG);
    let received = 0;
    const shown = async (row: number) => {
      await grid.evaluate((node, top) => {
        node.scrollTop = top;
      }, row * 22);
      await until(
        `row ${row}`,
        async () =>
          (await table(5)
            .locator(`.mr-row[aria-rowindex="${row + 2}"] .mr-td`)
            .nth(0)
            .textContent({ timeout: 500 })
            .catch(() => "")) === String(row),
        LONG,
      );
      received += (await rows(5).allTextContents()).join("").length;
      const [head, all] = await Promise.all([table(5).locator(".mr-head").boundingBox(), grid.boundingBox()]);
      assert.ok(Math.abs(head!.y - all!.y) < 4, "the head stays");
      assert.ok((await rows(5).count()) <= 30);
    };
    for (const row of [MANY / 2, 10, MANY - 1000, 13_333]) await shown(row);
    assert.ok(received < 10_000, `${received} characters for four screens`);
    await table(5).locator(".mr-th", { hasText: "m" }).last().click();
    await until("the least m", async () => (await texts(5))[1] === "0", LONG);
    await table(5).locator("select[aria-label='column to filter by']").selectOption({ label: "n" });
    await table(5).locator("select[aria-label='comparison']").selectOption(">=");
    await table(5)
      .locator("input[aria-label='value to filter by']")
      .fill(String(MANY - 10));
    await until("ten rows", async () => (await grid.getAttribute("aria-rowcount")) === "11", LONG);
    // more hits than there is room for: what is sorted is seen from its beginning
    await table(5).locator("input[aria-label='value to filter by']").fill("0");
    await until(
      "all rows, from the least m",
      async () => (await grid.getAttribute("aria-rowcount")) === String(MANY + 1) && (await texts(5))[1] === "0",
      5000,
    ).catch(async () => assert.fail(`${await grid.getAttribute("aria-rowcount")} rows, at first ${await texts(5)}`));
    assert.ok(await rows(5).first().isVisible());
    await table(5).locator("input[aria-label='value to filter by']").fill("");
  });

  await t.test("the table is a grid for those who hear it, and its keys are its own", async () => {
    const grid = table(5).getByRole("grid", { name: /^live table of topic long-/ });
    await until("all rows", async () => (await grid.getAttribute("aria-rowcount")) === String(MANY + 1), LONG);
    assert.equal(await grid.getAttribute("aria-colcount"), "2");
    assert.equal(await grid.evaluate(({ clientHeight }) => clientHeight), (2 + ROWS) * 22);
    const toolbar = table(5).getByRole("toolbar", { name: "live frame" });
    for (const name of ["pause reading", "take one more batch, and pause", "stop this live frame"])
      assert.equal(await toolbar.getByRole("button", { name, exact: true }).count(), 1);
    for (const name of ["speed of replay", "view", "column to filter by", "comparison"])
      assert.equal(await toolbar.getByRole("combobox", { name, exact: true }).count(), 1);
    assert.equal(
      await grid.getByRole("columnheader", { name: "m, Int64: sort" }).getAttribute("aria-sort"),
      "ascending",
    );
    const cells = await page.locator(".jp-CodeCell").count();
    await grid.focus();
    // keys, and the row and column of the cell that they lead to
    const walk: [keys: string[], row: number, column: number][] = [
      [["Control+Home"], 0, 0],
      [["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"], 2, 1],
      [["PageDown", "PageDown", "ArrowLeft"], 2 + 2 * (ROWS - 1), 0],
      [["PageUp", "End"], 2 + (ROWS - 1), 1],
      [["Control+End", "ArrowDown", "ArrowUp", "Home", "ArrowRight", "a", "d", "d"], MANY - 2, 1],
    ];
    for (const [keys, row, column] of walk) {
      for (const key of keys) await page.keyboard.press(key);
      const id = await until(
        `row ${row}, column ${column} is told after ${keys}`,
        async () => {
          const told = await grid.getAttribute("aria-activedescendant");
          return told?.endsWith(`-${row}-${column}`) && told;
        },
        LONG,
      );
      const active = page.locator(`[id="${id}"]`);
      assert.equal(await active.getAttribute("role"), "gridcell");
      assert.equal(await active.getAttribute("aria-colindex"), String(column + 1));
      assert.equal(await active.locator("xpath=..").getAttribute("aria-rowindex"), String(row + 2));
      const [cell, all] = [(await active.boundingBox())!, (await grid.boundingBox())!];
      assert.ok(
        cell.y >= all.y + 43 && cell.y + cell.height <= all.y + all.height + 1,
        `row ${row} is seen below the head`,
      );
    }
    // a column is sorted from its head
    const head = grid.getByRole("columnheader", { name: "m, Int64: sort" });
    await head.focus();
    await page.keyboard.press("Enter");
    await until("it says so", async () => (await head.getAttribute("aria-sort")) === "descending", LONG);
    await until("the most m", async () => (await texts(5))[1] === String(MANY - 1), LONG);
    assert.equal(await page.locator(".jp-CodeCell").count(), cells);
    await page.keyboard.press("Escape");
    assert.match(
      (await page.evaluate(() => (globalThis as any).document.activeElement.className)) as string,
      /jp-Cell/,
    );
  });

  await t.test("reading goes to an offset, takes a batch at a time, and is stopped", async () => {
    const grid = table(5).locator(".mr-scroll");
    const line = async () => (await table(5).locator(".mr-line").textContent()) ?? "";
    const place = table(5).getByRole("textbox", { name: /^go to/ });
    await place.fill(`0:${MANY - 100}`);
    await place.press("Enter");
    await until("the last hundred", async () => (await grid.getAttribute("aria-rowcount")) === "101", LONG);
    await place.fill("nowhere");
    await place.press("Enter");
    const refused = table(5).getByText(/"nowhere" is no place in a topic/);
    await refused.waitFor();
    await write(long, [{ key: "k", value: JSON.stringify({ n: MANY, m: MANY }), timestamp: START + MANY }]);
    await until("rows go on", async () => (await grid.getAttribute("aria-rowcount")) === "102", LONG);
    assert.ok(await refused.isVisible(), "what was refused is said until something else is asked for");
    await table(5).getByRole("button", { name: "take one more batch, and pause" }).click();
    assert.equal(await refused.isVisible(), false);
    await write(long, [{ key: "k", value: JSON.stringify({ n: MANY, m: MANY }), timestamp: START + MANY + 1 }]);
    await until("one more", async () => (await grid.getAttribute("aria-rowcount")) === "103", LONG);
    assert.match(await line(), /^paused/);
    await table(5).getByRole("button", { name: "stop this live frame" }).click();
    await until("it is stopped", async () => /^stopped/.test(await line()), LONG);
    for (const name of ["pause reading", "stop this live frame"])
      assert.ok(await table(5).getByRole("button", { name }).isDisabled());
  });

  await t.test("what is written is readable in the light and in the dark theme", async () => {
    const wanted = [
      ".mr-line",
      ".mr-th b",
      ".mr-th small",
      ".mr-td",
      ".mr-live .mr-button",
      ".mr-input",
      ".mr-said:not([hidden])",
    ];
    for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
      await page.click('.lm-MenuBar-itemLabel:text("Settings")');
      await page.locator('.lm-Menu-itemLabel:text-is("Theme")').hover();
      await page.click(`.lm-Menu-itemLabel:text-is("${theme}")`);
      await page.locator(`body[data-jp-theme-name="${theme}"]`).waitFor({ state: "attached" });
      await until(
        `contrast of 4.5 in ${theme}`,
        async () => Object.values(await contrasts(page, wanted)).every((contrast) => contrast >= 4.5),
        5000,
      ).catch(async () => assert.fail(`${theme}: ${JSON.stringify(await contrasts(page, wanted))}`));
      const text = cell(7).locator(".mr-plot .xtick text").first();
      const fill = await text.evaluate((node) => (globalThis as any).getComputedStyle(node).fill);
      assert.equal(/rgba?\(255/.test(fill as string), theme.endsWith("Dark"), `${theme}: ticks are ${fill}`);
    }
  });

  await t.test("plotly.js is loaded once, however many charts there are", async () => {
    assert.equal(await page.locator(".mr-plot .scatterlayer .js-line").count(), 2);
    const loaded = await page.evaluate(
      () =>
        (globalThis as any).performance.getEntriesByType("resource").filter(({ name }: any) => /plotly\.js/.test(name))
          .length,
    );
    assert.equal(loaded, 1);
  });

  await t.test("charts of one link are zoomed together", async () => {
    const plots = [cell(7), cell(8)].map((each) => each.locator(".mr-plot"));
    const range = (plot: (typeof plots)[number]) => plot.evaluate((node: any) => String(node.layout.xaxis.range));
    const first = plots[0]!.locator(".nsewdrag").first();
    await first.scrollIntoViewIfNeeded();
    const before = await range(plots[1]!);
    const { x, y, width, height } = (await first.boundingBox())!;
    await page.mouse.move(x + width * 0.3, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 5 });
    await page.mouse.up();
    await until(
      "the other follows",
      async () => (await range(plots[1]!)) !== before && (await range(plots[0]!)) === (await range(plots[1]!)),
      LONG,
    );
  });

  await t.test("a topic that is not there yet is waited for", async () => {
    await cell(6)
      .getByText(/waiting, looking again every second: There is no topic/)
      .waitFor();
    await page
      .locator(".jp-CodeCell")
      .nth(6)
      .getByRole("alert")
      .getByText(/what to do/)
      .waitFor();
    await create(feed, 1, feed);
    await write(feed, [{ key: "k", value: '{"at":"last"}', timestamp: Date.now() }]);
    await until("its row", async () => (await rows(6).count()) === 1 && (await texts(6))[1] === "last", LONG);
    assert.equal(await table(6).getByRole("alert").isVisible(), false);
  });

  const second = await runNotebook(lab, browser.context, "second.ipynb", [
    `import * as millrace from "millrace"; const odd = millrace.topic("${odd}", { key: "k" });`,
    'odd.live({ from: "earliest" })',
    ...KINDS.map(([kind]) => `odd.plot({ kind: "${kind}", x: "_time", y: "a.b", from: "earliest" })`),
    `display({ "application/vnd.plotly.v1+json": ${JSON.stringify(OWN)} })`,
  ]);

  await t.test("each kind of chart is drawn, and a figure of one's own", async () => {
    const drawn = (index: number, mark: string, count: number) =>
      until(
        `${count} of ${mark} in cell ${index}`,
        async () => (await cell(index, second).locator(`.mr-plot ${mark}`).count()) === count,
        LONG,
      );
    for (const [i, [, mark, count]] of KINDS.entries()) await drawn(2 + i, mark, count);
    const own = 2 + KINDS.length;
    await drawn(own, ".barlayer .point path", OWN.data[0]!.y.length);
    assert.equal(await cell(own, second).locator(".mr-plot .gtitle").textContent(), OWN.layout.title.text);
    assert.equal(await cell(own, second).locator(".mr-controls").count(), 0);
  });

  const inSecond = second.locator("#millrace-streams li");
  const among = (text: string) => inSecond.filter({ hasText: text });

  await t.test("streams of two notebooks are told apart, and end with their cell", async () => {
    await second.locator('[data-id="millrace-streams"]').click();
    await until(
      "both notebooks",
      async () =>
        (await among("in odd.ipynb").count()) === 7 &&
        (await among("table in second.ipynb").count()) === 1 &&
        (await among("chart in second.ipynb").count()) === KINDS.length,
      LONG,
    );
    await cell(1, second).locator(".jp-InputPrompt").click();
    await second.keyboard.press("d");
    await second.keyboard.press("d");
    await until(
      "the stream of the deleted cell has ended",
      async () => (await among("table in second.ipynb").count()) === 0,
      LONG,
    );
    const stop = among("chart in odd.ipynb").first().getByRole("button", { name: /^stop/ });
    await stop.focus();
    await second.waitForTimeout(2500); // the list is told anew twice
    assert.ok(await stop.evaluate((node) => node === (globalThis as any).document.activeElement));
    await second.keyboard.press("Enter");
    await until(
      "that of the other notebook is stopped from here",
      async () => (await among("in odd.ipynb").count()) === 6,
      LONG,
    );
  });

  await t.test("commands are in the palette, and stop the streams of a notebook or of all", async () => {
    const labels = second.locator(".lm-CommandPalette-itemLabel");
    const find = async (text: string) => {
      await second.keyboard.press("Control+Shift+c");
      await second.locator(".lm-CommandPalette-input").fill(text);
    };
    await find("millrace");
    await until("the commands", async () => (await labels.count()) >= 5, LONG);
    assert.deepEqual((await labels.allTextContents()).sort(), [
      "Promote this notebook to a job",
      "Show running streams",
      "Show topics",
      "Stop the streams of all notebooks",
      "Stop the streams of this notebook",
    ]);
    await labels.getByText("Stop the streams of this notebook").click();
    await until("its charts are gone", async () => (await among("in second.ipynb").count()) === 0, LONG);
    assert.equal(await among("in odd.ipynb").count(), 6);
    await find("stop the streams of all");
    await labels.getByText("Stop the streams of all notebooks").click();
    await until("nothing is listed", async () => (await inSecond.count()) === 0, LONG);
    assert.ok(await second.getByText("No stream is running.").isVisible());
    await page.bringToFront(); // a page that is not looked at draws nothing
    await until(
      "the tables of the other page say so",
      async () =>
        (await page.locator(".mr-live .mr-line").allTextContents()).every((text) => text.startsWith("stopped")),
      LONG,
    );
  });

  await t.test("a cell that the Topics panel inserts brings the import that no other cell has", async () => {
    await second.bringToFront();
    await second.locator('[data-id="millrace-topics"]').click();
    const panel = second.locator("#millrace-topics");
    await panel.getByRole("button", { name: `show ${odd}` }).click();
    const insert = panel.getByRole("button", { name: "insert a cell" });
    await insert.click();
    const inserted = second.locator(".jp-CodeCell", { hasText: "schema: {" });
    assert.match(
      (await inserted.locator(".cm-content").textContent()) ?? "",
      /^import \{ topic \} from "millrace";const /,
    );
    await inserted.locator(".cm-content").click();
    await second.keyboard.press("Control+Enter");
    await until("its rows", async () => (await inserted.locator(".mr-row").count()) === 2, LONG);
    await insert.click();
    const again = second.locator(".jp-CodeCell .cm-content", { hasText: "schema: {" });
    await until("once more", async () => (await again.count()) === 2, LONG);
    assert.equal(await again.filter({ hasText: "import {" }).count(), 1);
  });
});
