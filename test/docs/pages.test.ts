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
