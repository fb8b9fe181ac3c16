import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import type { Lab } from "../support/jupyter-lab.ts";

/** Longer than anything takes on a busy machine, ms. */
export const LONG = 60_000;

/** Writes a notebook of these cells, opens it in JupyterLab, and runs all of them once its kernel is idle. */
export async function runNotebook(
  lab: Lab,
  context: BrowserContext,
  name: string,
  cells: readonly string[],
): Promise<Page> {
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "millrace", display_name: "TypeScript (Millrace)", language: "typescript" } },
    cells: cells.map((source, i) => ({
      cell_type: "code",
      id: `c${i}`,
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    })),
  };
  await writeFile(path.join(lab.folder, name), JSON.stringify(notebook));
  const page = await context.newPage();
  page.setDefaultTimeout(LONG);
  await page.setViewportSize({ width: 1280, height: 3600 });
  await page.goto(lab.url(name));
  await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor();
  await page
    .getByText(/TypeScript \(Millrace\) \| Idle/)
    .first()
    .waitFor();
  await page.click('.lm-MenuBar-itemLabel:text("Run")');
  await page.click('.lm-Menu-itemLabel:text-is("Run All Cells")');
  return page;
}
