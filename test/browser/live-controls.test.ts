// How a live table is moved through time, what its status line counts, and a chart's axis that slides, over records that are known.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readings, testTopics } from "../run/notebook/topics.ts";
import { noChromium } from "../support/chromium.ts";
import { until } from "../support/until.ts";
import { LONG, openLab, runNotebook } from "./notebook-page.ts";

const { bootstrapServers, create, write } = await testTopics();
const KEPT = 200;

test("through time, in JupyterLab", { skip: noChromium, timeout: 300_000 }, async (t) => {
  const topic = await create("phones", 1);
  // three seconds, then one of before them, and two that are none
  const late = { ...readings(1)[0]!, timestamp: Date.UTC(2026, 0, 1, 0, 0, 3) };
  const none = { key: "phone-0", value: "none", timestamp: late.timestamp };
  await write(topic, [...readings(300), late, none, none]);
  const { lab, browser } = await openLab({ KAFKA_BOOTSTRAP_SERVERS: bootstrapServers });
  const page = await runNotebook(lab, browser.context, "time.ipynb", [
    `import { topic, pl } from "millrace"; const phone = topic("${topic}", { key: "device", time: "timestamp" });`,
    'phone.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" }).agg(pl.len().alias("n")).live({ from: "earliest" })',
    `phone.live({ from: "earliest", keep: ${KEPT} })`,
    'phone.plot({ x: "timestamp", y: "gForceX", from: "earliest", keep: "1s" })',
  ]);
  const cell = (index: number) => page.locator(".jp-CodeCell").nth(index);
  const says = (index: number, what: RegExp) => cell(index).locator(".mr-line", { hasText: what }).waitFor();
  const grid = cell(2).locator(".mr-scroll");
  const rows = async () => Number(await grid.getAttribute("aria-rowcount")) - 1;
  const goTo = async (place: string) => {
    const field = cell(2).getByRole("textbox", { name: /^go to/ });
    await field.fill(place);
    await field.press("Enter");
  };
  const speed = (text: string) => cell(2).getByRole("combobox", { name: "speed of replay" }).selectOption(text);

  await t.test("the status line counts what is late, bad, open, kept as state, and dropped from view", async () => {
    await says(1, / · lag 0 · watermark 2026-01-01 00:00:02\.990 · /);
    await says(1, / 303 records read · 1 late · 2 bad · 7 open windows · 7 rows of state/);
    await says(2, / kept 200 of 301 rows, 101 dropped from view · 303 records read · 2 bad/);
  });

  await t.test("it goes to a time, and back to the earliest record", async () => {
    await goTo("2026-01-01T00:00:02Z");
    await until("the last second", async () => (await rows()) === 101, LONG);
    await goTo("earliest");
    await until("as many as are kept", async () => (await rows()) === KEPT, LONG);
  });

  await t.test("it is replayed at a tenth of the speed, then at a hundred times it, then as it comes", async () => {
    await speed("0.1x");
    await goTo("earliest");
    await until("some rows", async () => (await rows()) > 0 && (await rows()) < 100, LONG);
    const first = await rows();
    await until("more of them, in time", async () => (await rows()) > first, LONG);
    assert.ok((await rows()) < KEPT, "not all at once: they are thirty seconds");
    await speed("100x");
    await until("all at once", async () => (await rows()) === KEPT, 5000);
    await speed("as it comes");
    await goTo("2026-01-01T00:00:02Z");
    await until("the last second", async () => (await rows()) === 101, LONG);
  });

  await t.test("the time axis of a chart slides on with what comes", async () => {
    const axis = async () => {
      const plot = cell(3).locator(".mr-plot");
      await plot.locator(".main-svg").first().waitFor();
      return plot.evaluate((node: any) => (node._fullLayout.xaxis.range as string[]).map((at) => Date.parse(`${at}Z`)));
    };
    const before = await axis();
    await write(topic, readings(500, 300)); // five seconds more
    await until(
      "an axis of other seconds, about as long",
      async () => {
        const [from, to] = await axis();
        return from! > before[1]! && to! - from! < 2000;
      },
      LONG,
    ).catch(async () => assert.fail(`${before} became ${await axis()}`));
  });
});
