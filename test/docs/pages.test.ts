// The pages people read: code in them is type-checked as a notebook's cells would be, one page after the other, and links lead somewhere.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { CellLanguage } from "../../kernel/language/cell-language.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const pages = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md", { cwd: repository })].sort();
const read = (page: string) => readFileSync(path.join(repository, page), "utf8");

suite("code", () => {
  for (const page of pages) {
    const blocks = [...read(page).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
    if (blocks.length === 0) continue;
    test(page, () => {
      const language = new CellLanguage(path.join(repository, "notebooks"));
      const problems = blocks.flatMap((code, i) => language.compile(`block ${i + 1}`, code).diagnostics);
      assert.deepEqual(
        problems.map(({ cell, line, message }) => `${cell}, line ${line}: ${message}`),
        [],
      );
    });
  }
});

suite("links", () => {
  for (const page of pages)
    test(page, () => {
      const dead = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link!)
        .filter((link) => !/^(https?:|mailto:|#)/.test(link))
        .filter((link) => !existsSync(path.join(repository, path.dirname(page), link.replace(/#.*$/, ""))));
      assert.deepEqual(dead, []);
    });
});

suite("what pages and decisions name is there", () => {
  const texts = [...pages, ...globSync("docs/decisions/*.md", { cwd: repository })].map(
    (page) => [page, read(page)] as const,
  );
  const named = (pattern: RegExp) =>
    texts.flatMap(([page, text]) => [...text.matchAll(pattern)].map(([, name]) => ({ page, name: name! })));
  const missing = (pattern: RegExp, there: (name: string) => boolean) => {
    const all = named(pattern);
    assert.ok(all.length > 5, `${all.length} names`);
    return all.filter(({ name }) => !there(name)).map(({ page, name }) => `${page}: ${name}`);
  };

  test("files and folders", () => {
    const there = (name: string) => globSync(`${name}{,.ts,.test.ts,.mjs}`, { cwd: repository }).length > 0;
    assert.deepEqual(missing(/`((?:lib|kernel|test|bench|docs|notebooks|scripts)\/[\w./*-]+)`/g, there), []);
  });

  test("commands and scripts", () => {
    const command = (name: string) => existsSync(path.join(repository, `kernel/cli/commands/${name}.ts`));
    assert.deepEqual(missing(/(?:npx |`)millrace ([a-z]+)\b/g, command), []);
    const { scripts } = JSON.parse(read("package.json"));
    assert.deepEqual(
      missing(/npm run ([\w:-]+)/g, (name) => name in scripts),
      [],
    );
  });

  test("environment variables", () => {
    const files = globSync("{lib,kernel,bench,test,scripts}/**/*.{ts,mjs,py}", {
      cwd: repository,
      exclude: ["**/node_modules/**", "test/docs/**"],
    });
    const known = new Set(files.flatMap((file) => read(file).match(/\b(?:MILLRACE|KAFKA|SCHEMA)_[A-Z_]+\b/g) ?? []));
    const there = (name: string) =>
      known.has(name) || (name.endsWith("_") && [...known].some((one) => one.startsWith(name)));
    assert.deepEqual(missing(/\b((?:MILLRACE|KAFKA|SCHEMA)_[A-Z_]+)\b/g, there), []);
  });
});
