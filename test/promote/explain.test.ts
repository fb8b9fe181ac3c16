import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { millraceAgain } from "./run-command.ts";

const CELLS = [
  { source: 'import { pl, topic } from "millrace";\nconst phone = topic("phones");', count: 4 },
  "# About",
  { source: 'phone.filter(pl.col("a<b").gt(1)).to("out");\nphone', count: 7 },
];

test("--explain says of each statement what becomes of it, as text, JSON and a page; only --html writes, and only there", async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, "book.ipynb");
  await writeFile(file, notebookText(CELLS));
  const text = await millraceAgain(["promote", file, "--explain"]);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /cell 2 \[7\] \(c3\)\n {2}\+ 1: .*\n {7}kept: sink \.to\("out"\).*\n {2}- 2: phone\n/);
  const json = await millraceAgain(["promote", file, "--explain", "--json"]);
  const { statements } = JSON.parse(json.stdout);
  assert.deepEqual(
    statements.map(({ cell, executionCount, line, kept }: any) => [cell, executionCount, line, kept]),
    [
      [1, 4, 1, true],
      [1, 4, 2, true],
      [2, 7, 1, true],
      [2, 7, 2, false],
    ],
  );
  assert.deepEqual(await readdir(folder), ["book.ipynb"]);
  const page = path.join(folder, "page.html");
  assert.equal((await millraceAgain(["promote", file, "--explain", "--html", page])).code, 0);
  assert.deepEqual((await readdir(folder)).sort(), ["book.ipynb", "page.html"]);
  const html = await readFile(page, "utf8");
  assert.equal(html.match(/class="statement kept"/g)?.length, 3);
  assert.equal(html.match(/class="statement dropped"/g)?.length, 1);
  assert.match(html, /a&lt;b/);
  assert.doesNotMatch(html, /a<b/);
});

test("--html without --explain is wrong usage", async () => {
  const { code, stderr } = await millraceAgain(["promote", "book.ipynb", "--html", "page.html"]);
  assert.equal(code, 2);
  assert.match(stderr, /--explain --html FILE/);
});
