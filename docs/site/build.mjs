// Builds the documentation site into docs/site/dist: the repository's own pages, the notebooks, and the reference generated from TSDoc. Links that lead
// nowhere fail the build. `npm run docs` installs what this needs (in this folder only) and runs it.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { build } from "vitepress";
import { entryPoints, makePages } from "./make-pages.mjs";

const here = import.meta.dirname;
const repository = path.resolve(here, "../..");
const pages = path.join(here, "pages");
makePages(pages);

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
    ...entryPoints.flatMap((file) => ["--entryPoints", file]),
  ],
  { cwd: repository, stdio: "inherit" },
);
await build(here);
