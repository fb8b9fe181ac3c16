import { after } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { openBrowser } from "../support/chromium.ts";
import { type Lab, startLab } from "../support/jupyter-lab.ts";
import { choose, idle, writeNotebook } from "./front-end.ts";

/** Longer than anything takes on a busy machine, ms. */
export const LONG = 60_000;

/** A server and a browser until the end of the test file. */
export async function openLab(...given: Parameters<typeof startLab>) {
  const lab = await startLab(...given);
  const browser = await openBrowser();
  after(async () => {
    await browser.close();
    await lab.stop();
  });
  return { lab, browser };
}

/** Writes a notebook of these cells and opens it; its kernel is idle then. @param longest that the page may take for anything, ms */
export async function openNotebook(
  lab: Lab,
  context: BrowserContext,
  name: string,
  cells: readonly string[],
  longest = LONG,
): Promise<Page> {
  await writeNotebook(lab, name, ...cells);
  const page = await context.newPage();
  page.setDefaultTimeout(longest);
  await page.goto(lab.url(name));
  await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor();
  await idle(page);
  return page;
}

/** The same on a page that shows many cells at once, and runs all of them. */
export async function runNotebook(
  lab: Lab,
  context: BrowserContext,
  name: string,
  cells: readonly string[],
): Promise<Page> {
  const page = await openNotebook(lab, context, name, cells);
  await page.setViewportSize({ width: 1280, height: 3600 });
  await choose(page, "Run", "Run All Cells");
  return page;
}
