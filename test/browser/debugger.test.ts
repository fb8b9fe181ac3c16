// The debugger as JupyterLab's own interface drives it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { noChromium, openBrowser } from "../support/chromium.ts";
import { startLab } from "../support/jupyter-lab.ts";
import { until } from "../support/until.ts";
import { choose, idle, picture, prompts, writeNotebook } from "./front-end.ts";

const LONG = 120_000;

const CODE = `interface Shape { side: number }
function area(shape: Shape): number {
  const { side } = shape;
  const squared: number = side * side;
  return squared;
}
const found = area({ side: 3 });
found`;

test("a TypeScript cell is debugged in JupyterLab", { skip: noChromium, timeout: 420_000 }, async () => {
  const lab = await startLab({});
  const browser = await openBrowser();
  try {
    await writeNotebook(lab, "debug.ipynb", CODE);
    const page = await browser.context.newPage();
    page.setDefaultTimeout(LONG);
    let asked = 0;
    page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => {
        if (String(payload).includes('"command":"inspectVariables"')) asked++;
      }),
    );
    await page.goto(lab.url("debug.ipynb"));
    await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor();
    await idle(page);

    // a second press would take the debugger off again, so it is pressed once it is ready
    await page.locator('.jp-DebuggerBugButton:not([aria-disabled="true"])').click();
    const gutter = page.locator(".jp-CodeCell .cm-breakpoint-gutter .cm-gutterElement");
    await gutter.nth(4).click();
    const breakpoints = page.locator(".jp-DebuggerBreakpoint");
    await breakpoints.first().waitFor();
    assert.deepEqual(await breakpoints.locator(".jp-DebuggerBreakpoint-line").allTextContents(), ["4"]);

    await choose(page, "Run", "Run All Cells");
    const line = page.locator(".jp-CodeCell .jp-DebuggerEditor-highlight");
    const stoppedAt = (text: string) =>
      until(`a stop at: ${text}`, async () => (await line.allTextContents()).join("").trim() === text, LONG);
    await stoppedAt("const squared: number = side * side;");
    const frames = page.locator(".jp-DebuggerCallstackFrame");
    await until("two frames", async () => (await frames.count()) === 2, LONG);
    assert.match((await frames.first().textContent()) ?? "", /^area/);
    const variables = page.locator(".jp-DebuggerVariables-body .jp-TreeItem.nested");
    const shown = (name: string, value: string) =>
      until(
        `${name} ${value} among the variables`,
        async () => (await variables.allTextContents()).some((text) => text.trim() === name + value),
        LONG,
      );
    await shown("side", "3");
    await picture(page, "debugger");

    await page.locator('jp-button[data-command="debugger:next"]').click();
    await stoppedAt("return squared;");
    await shown("squared", "9");
    assert.deepEqual(await prompts(page), ["[*]:"]);

    await page.locator('jp-button[data-command="debugger:continue"]').click();
    await page.locator(".jp-OutputArea-output", { hasText: "9" }).waitFor();
    await until("the cell has ended", async () => (await prompts(page))[0] === "[1]:", LONG);
    assert.ok(asked < 20, `the variables were asked for ${asked} times: what is published must not cause a request`);
  } finally {
    await browser.close();
    await lab.stop();
  }
});
