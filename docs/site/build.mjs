// Builds the documentation site into docs/site/dist: the repository's own pages, the notebooks, and the reference generated from TSDoc. Links that lead
// nowhere fail the build. `npm run docs` installs what this needs (in this folder only) and runs it.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "vitepress";
import { notebookPage } from "./notebook-page.mjs";
import { sitePages } from "./site-pages.mjs";

const here = import.meta.dirname;
const repository = path.resolve(here, "../..");
const pages = path.join(here, "pages");
rmSync(pages, { recursive: true, force: true });
mkdirSync(path.join(pages, "notebooks"), { recursive: true });

for (const [name, text] of sitePages()) writePage(name, text);
cpSync(path.join(repository, "docs/decisions"), path.join(pages, "decisions"), { recursive: true });
cpSync(path.join(repository, "docs/images"), path.join(pages, "images"), { recursive: true });

const notebooks = readdirSync(path.join(repository, "notebooks"))
  .filter((each) => each.endsWith(".ipynb"))
  .sort();
for (const name of notebooks) {
  // with its outputs, where it was executed for the docs
  const executed = path.join(repository, "docs/examples", name);
  const file = existsSync(executed) ? executed : path.join(repository, "notebooks", name);
  writePage(`notebooks/${name.replace(/\.ipynb$/, ".md")}`, notebookPage(JSON.parse(readFileSync(file, "utf8"))));
}

execFileSync(
  process.execPath,
  [
    path.join(here, "node_modules/typedoc/bin/typedoc"),
    ...[
      "--plugin",
      "typedoc-plugin-markdown",
      "--tsconfig",
      path.join(repository, "tsconfig.json"),
      "--skipErrorChecking",
    ],
    ...["--readme", "none", "--name", "Reference", "--entryFileName", "index", "--hideBreadcrumbs", "--disableSources"],
    ...["--validation.notExported", "false", "--out", path.join(pages, "api")],
    ...[
      "--entryPoints",
      path.join(repository, "lib/api.ts"),
      "--entryPoints",
      path.join(repository, "lib/test/index.ts"),
    ],
  ],
  { cwd: repository, stdio: "inherit" },
);
await build(here);

function writePage(name, text) {
  writeFileSync(path.join(pages, name), text);
}
