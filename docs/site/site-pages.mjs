// The site's pages that are the repository's own, as they are there: name -> markdown. A test follows their links, so that building the site does not fail.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const repository = path.resolve(import.meta.dirname, "../..");
const read = (file) => readFileSync(path.join(repository, file), "utf8");

/** The README's part for the first minutes, and the pages of docs/. */
export function sitePages() {
  const readme = read("README.md");
  const between = (from, to) => readme.slice(readme.indexOf(from), readme.indexOf(to));
  const ways = "[Start here](start.md) · [Concepts](concepts.md) · [Cookbook](cookbook.md) · [Reference](api/index.md)";
  const head = readme.slice(0, readme.indexOf("## Two commands"));
  const names = readdirSync(path.join(repository, "docs")).filter((each) => each.endsWith(".md"));
  return new Map([
    ["index.md", `${inSite(head.replaceAll("docs/", ""))}\n\n${ways}\n`],
    ["start.md", `# Start\n\n${inSite(between("## Two commands", "## Where things are").replaceAll("docs/", ""))}`],
    ...names.map((name) => [name, inSite(read(`docs/${name}`))]),
  ]);
}

/** Links that lead out of docs/ become links to this site; those to files that are no page of it are left as text. */
function inSite(markdown) {
  return markdown
    .replace(/\]\((?:\.\.\/)?notebooks\/([\w-]+)\.ipynb\)/g, "](notebooks/$1.md)")
    .replace(/\[([^\]]+)\]\((?:\.\.\/)?(?:CONTRIBUTING|CHANGELOG|README)\.md\)/g, "$1")
    .replace(/\[([^\]]+)\]\(decisions\)/g, "[$1](decisions/001-kafka-client.md)")
    .replace(/\[[^\]]+\]\(examples\)/g, "[This site](notebooks/tour.md)");
}
