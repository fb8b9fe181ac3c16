// The documentation site, without its generator (`npm run docs`): all its pages are made as they are for it, and the reference has something to say.
import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import ts from "typescript";

const repository = path.resolve(import.meta.dirname, "../..");
const { makePages, entryPoints } = (await import(path.join(repository, "docs/site/make-pages.mjs"))) as {
  makePages(folder: string): void;
  entryPoints: readonly string[];
};
const folder = mkdtempSync(path.join(tmpdir(), "millrace-site-"));
after(() => rmSync(folder, { recursive: true, force: true }));
makePages(folder);

const names = globSync("**/*.md", { cwd: folder }).sort();
const pages = new Map(names.map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
/** What is text, and not code or an output that was saved with a notebook. */
const prose = (text: string): string =>
  text
    .replace(/^(```+)[\s\S]*?^\1$/gm, "")
    .replace(/^<div v-pre class="output">.*<\/div>$/gm, "")
    .replace(/^(?: {4}|\t).*$/gm, "")
    .replace(/`[^`\n]+`/g, "code");

test("every page, notebook and decision is there, and the sidebar leads to it", () => {
  const config = readFileSync(path.join(repository, "docs/site/.vitepress/config.mjs"), "utf8");
  for (const page of globSync("docs/*.md", { cwd: repository }).map((file) => path.basename(file, ".md"))) {
    assert.ok(pages.get(`${page}.md`)!.length > 500, page);
    assert.ok(config.includes(`"${page}"`), `${page} is in the sidebar`);
  }
  for (const file of globSync("{notebooks/*.ipynb,docs/decisions/*.md}", { cwd: repository })) {
    const page = file.replace("docs/", "").replace(/ipynb$/, "md");
    assert.ok((pages.get(page)?.length ?? 0) > 500, page);
  }
});

test("notebooks are shown with their code and what it gave", () => {
  for (const file of globSync("docs/examples/*.ipynb", { cwd: repository })) {
    const page = pages.get(`notebooks/${path.basename(file, ".ipynb")}.md`)!;
    const { cells } = JSON.parse(readFileSync(path.join(repository, file), "utf8"));
    const code = cells.filter(({ cell_type }: any) => cell_type === "code");
    assert.equal(page.match(/^```ts$/gm)?.length, code.length, file);
    const outputs = code.flatMap(({ outputs }: any) => outputs);
    assert.ok(outputs.length >= 3, file);
    const shown = page.match(/^(<div v-pre class="output">|```text$)/gm)?.length ?? 0;
    const markdown = outputs.filter(({ data }: any) => data?.["text/markdown"] && !data["text/html"]).length;
    assert.ok(shown + markdown >= outputs.length, `${file}: ${shown} of ${outputs.length} outputs`);
    assert.match(page, /<svg/, `${file} shows a chart`);
  }
});

test("links lead to pages of the site and to headings on them, pictures are there, and each is shown", () => {
  const dead: string[] = [];
  const shown = new Set<string>();
  for (const [name, text] of pages)
    for (const [, link] of prose(text).matchAll(/!?\[[^\]]*\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:)/.test(link!)) continue;
      const [target, heading] = link!.split("#") as [string, string?];
      const page = target === "" ? name : path.join(path.dirname(name), target);
      if (page.startsWith("images/")) shown.add(page);
      const there = page === "api/index.md" || existsSync(path.join(folder, page));
      const headings = pages.get(page)?.match(/^#+ .*$/gm) ?? [];
      if (!there || (heading && !headings.some((line) => anchor(line) === heading))) dead.push(`${name}: ${link}`);
    }
  assert.deepEqual(dead, []);
  const pictures = globSync("images/*", { cwd: folder }).sort();
  assert.deepEqual(
    pictures.filter((picture) => !shown.has(picture)),
    [],
    "pictures that no page shows",
  );
});

const anchor = (heading: string): string =>
  heading
    .replace(/^#+ /, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

test("nothing in the text means something to the generator: braces are read as code of a template, tags have to be closed", () => {
  const wrong: string[] = [];
  for (const [name, text] of pages) {
    const open: string[] = [];
    const plain = prose(text);
    if (/\{\{/.test(plain)) wrong.push(`${name}: {{`);
    for (const [tag, end, element] of plain.matchAll(/<(\/?)([a-zA-Z][\w-]*)[^<>]*>/g)) {
      if (/^<https?:/.test(tag) || tag.endsWith("/>") || /^(br|img|hr)$/.test(element!)) continue;
      if (end === "") open.push(element!);
      else if (open.pop() !== element) wrong.push(`${name}: ${tag}`);
    }
    wrong.push(...open.map((element) => `${name}: <${element}> is not closed`));
  }
  assert.deepEqual(wrong, []);
});

test("the reference: whatever a program imports, and what it has, says what it is", () => {
  // one of several overloads says it for all
  const seen = new Map<string, string>();
  const check = (name: string, node: ts.Node) => {
    const text = ts.getJSDocCommentsAndTags(node).map((one) => ts.getTextOfJSDocComment(one.comment) ?? "");
    seen.set(name, `${seen.get(name) ?? ""}${text.join("")}`);
  };
  const visit = (file: string, wanted?: ReadonlySet<string>): void => {
    const parsed = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
    for (const statement of parsed.statements) {
      if (ts.isExportDeclaration(statement)) {
        if (statement.moduleSpecifier === undefined) continue;
        const from = path.resolve(path.dirname(file), (statement.moduleSpecifier as ts.StringLiteral).text);
        const clause = statement.exportClause;
        const names = clause && ts.isNamedExports(clause) ? clause.elements.map(({ name }) => name.text) : undefined;
        visit(from, names ? new Set(names.filter((name) => wanted?.has(name) ?? true)) : wanted);
        continue;
      }
      const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : statement;
      const name = (declared as Partial<ts.NamedDeclaration>).name?.getText();
      // pl is nodejs-polars' own, recorded
      if (name === undefined || name === "pl" || !wanted?.has(name)) continue;
      check(name, statement);
      if (!ts.isClassDeclaration(statement)) continue;
      for (const member of statement.members)
        if (
          member.name !== undefined &&
          !ts.isPrivateIdentifier(member.name) &&
          !ts.isComputedPropertyName(member.name)
        )
          check(`${name}.${member.name.getText()}`, member);
    }
  };
  for (const file of entryPoints) visit(file);
  const silent = [...seen].filter(([, text]) => text === "").map(([name]) => name);
  assert.deepEqual(silent, [], "without a word");
  for (const name of ["topic", "StreamFrame.trace", "Refusal", "driver", "TestDriver.feed", "SqlTag"])
    assert.ok(seen.has(name), name);
});
