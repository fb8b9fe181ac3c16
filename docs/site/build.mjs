// Builds the documentation site into docs/site/dist: the repository's own pages, the notebooks, and the reference generated from TSDoc. Links that lead
// nowhere fail the build. `npm run docs` installs what this needs (in this folder only) and runs it.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "vitepress";
import { notebookPage } from "./notebook-page.mjs";

const here = import.meta.dirname;
const repository = path.resolve(here, "../..");
const pages = path.join(here, "pages");
rmSync(pages, { recursive: true, force: true });
mkdirSync(path.join(pages, "notebooks"), { recursive: true });

/** The README's part for the first minutes, and the pages of docs/, as they are; links that lead out of docs/ become links to this site or are left as text. */
const readme = readFileSync(path.join(repository, "README.md"), "utf8");
const between = (from, to) => readme.slice(readme.indexOf(from), readme.indexOf(to));
writePage(
  "index.md",
  `${inSite(readme.slice(0, readme.indexOf("## Two commands")).replaceAll("docs/", ""))}\n\n[Start here](start.md) · [Concepts](concepts.md) · [Cookbook](cookbook.md) · [Reference](api/index.md)\n`,
);
writePage(
  "start.md",
  `# Start\n\n${inSite(between("## Two commands", "## Where things are").replaceAll("docs/", ""))}`,
);
for (const name of readdirSync(path.join(repository, "docs")).filter((each) => each.endsWith(".md")))
  writePage(name, inSite(readFileSync(path.join(repository, "docs", name), "utf8")));
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

/** Links to files of the repository that are no page of the site lose their link. */
function inSite(markdown) {
  return markdown
    .replace(/\]\((?:\.\.\/)?notebooks\/([\w-]+)\.ipynb\)/g, "](notebooks/$1.md)")
    .replace(/\[([^\]]+)\]\((?:\.\.\/)?(?:CONTRIBUTING|CHANGELOG|README)\.md\)/g, "$1")
    .replace(/\[([^\]]+)\]\(decisions\)/g, "[$1](decisions/001-kafka-client.md)");
}
