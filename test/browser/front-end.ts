import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Page } from "playwright-core";
import type { Lab } from "../support/jupyter-lab.ts";

const images = path.resolve(import.meta.dirname, "../../docs/images");

/** Writes a notebook of these code cells into the folder the server shows. */
export async function writeNotebook(lab: Lab, name: string, ...sources: string[]): Promise<void> {
  const cells = sources.map((source, at) => ({
    cell_type: "code",
    id: `a${at + 1}`,
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  const kernelspec = { name: "millrace", display_name: "TypeScript (Millrace)", language: "typescript" };
  const notebook = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells };
  await writeFile(path.join(lab.folder, name), JSON.stringify(notebook));
}

/**
 * Waits until the notebook's kernel is connected and idle. "Run All Cells" before that runs nothing, without a word, whichever kernel it is; and the
 * indicator says "idle" as well while there is no kernel yet.
 */
export async function idle(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const { document } = globalThis as any;
      // JupyterLab says it in its status bar; Notebook shows the kernel's logo once it knows it
      if (/TypeScript \(Millrace\) \| Idle/.test(document.querySelector("#jp-main-statusbar")?.textContent))
        return true;
      const known = document.querySelector('.jp-NotebookKernelLogo img[src*="millrace"]') !== null;
      return known && document.querySelector('.jp-Notebook-ExecutionIndicator[data-status="idle"]') !== null;
    },
    undefined,
    { timeout: 60_000 },
  );
}

/** Chooses an item of a menu of the menu bar. */
export async function choose(page: Page, menu: string, item: string): Promise<void> {
  await page.click(`.lm-MenuBar-itemLabel:text-is("${menu}")`);
  await page.click(`.lm-Menu-itemLabel:text-is("${item}")`);
}

/** What stands before each cell, such as `[3]:`, and `[*]:` while it runs. */
export const prompts = (page: Page): Promise<string[]> =>
  page.locator(".jp-CodeCell .jp-InputPrompt").allTextContents();

/** For the documentation, where `MILLRACE_SCREENSHOTS` asks for it. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!process.env.MILLRACE_SCREENSHOTS) return;
  await mkdir(images, { recursive: true });
  await page.screenshot({ path: path.join(images, `${name}.png`) });
}
