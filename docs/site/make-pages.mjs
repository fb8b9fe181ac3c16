import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { notebookPage } from "./notebook-page.mjs";
import { sitePages } from "./site-pages.mjs";

const repository = path.resolve(import.meta.dirname, "../..");

/** Writes all pages of the site but those of the reference into a folder, which is made anew: Markdown, and the pictures it shows. */
export function makePages(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, "notebooks"), { recursive: true });
  const write = (name, text) => writeFileSync(path.join(folder, name), text);

  for (const [name, text] of sitePages()) write(name, text);
  for (const part of ["decisions", "images"])
    cpSync(path.join(repository, "docs", part), path.join(folder, part), { recursive: true });
  const notebooks = readdirSync(path.join(repository, "notebooks")).filter((each) => each.endsWith(".ipynb"));
  for (const name of notebooks) {
    // with its outputs, where it was executed for the docs
    const executed = path.join(repository, "docs/examples", name);
    const file = existsSync(executed) ? executed : path.join(repository, "notebooks", name);
    write(`notebooks/${name.replace(/\.ipynb$/, ".md")}`, notebookPage(JSON.parse(readFileSync(file, "utf8"))));
  }
}

/** Where the reference begins: what it is generated from. */
export const entryPoints = ["lib/api.ts", "lib/test/api.ts"].map((file) => path.join(repository, file));
