import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { parseNotebook, type RawNotebook, sha256, sourceText } from "../../kernel/promote/notebook.ts";
import { notebookText, type TestCell, temporaryFolder } from "./notebooks.ts";
import { millrace } from "./run-command.ts";

/** Executes the cells with `millrace run` and gives what was saved. */
async function run(cells: readonly TestCell[], ...args: string[]) {
  const folder = await temporaryFolder();
  const file = path.join(folder, "test.ipynb");
  await writeFile(file, notebookText(cells));
  const { code, stderr } = await millrace(["run", file, ...args]);
  const text = await readFile(file, "utf8");
  return {
    code,
    stderr,
    text,
    raw: JSON.parse(text) as RawNotebook,
    notebook: parseNotebook(text, file),
    before: notebookText(cells),
  };
}

const shown = (output: any) => [
  output.output_type,
  sourceText(output.text ?? output.data?.["text/plain"] ?? output.evalue),
];

test("outputs, counts, display updates and the journal are saved with the notebook", async () => {
  const { code, raw, notebook } = await run([
    "# Story",
    "const x: number = 20;",
    'const handle = display("one");\nconsole.log("a");\nconsole.log("b");\nx * 2 + 2',
    'handle.update("two");',
  ]);
  assert.equal(code, 0);
  assert.deepEqual(raw.cells[2]!.outputs!.map(shown), [
    ["display_data", "'two'"],
    ["stream", "a\nb\n"],
    ["execute_result", "42"],
  ]);
  assert.deepEqual(
    notebook.cells.map((cell) => cell.executionCount),
    [1, 2, 3],
  );
  assert.deepEqual(
    notebook.cells.map((cell) => [cell.execution?.ok, cell.execution?.seq]),
    [
      [true, 1],
      [true, 2],
      [true, 3],
    ],
  );
  assert.equal(notebook.cells[0]!.execution?.sha256, sha256("const x: number = 20;"));
  assert.equal(raw.nbformat_minor, 5);
});

test("a cell that throws ends the run with 1; what was done until then is saved", async () => {
  const { code, stderr, raw } = await run(["1 + 1", 'throw new RangeError("too far");', "3"]);
  assert.equal(code, 1);
  assert.match(stderr, /Cell 2 threw RangeError/);
  assert.deepEqual(
    raw.cells.map((cell) => cell.outputs!.map(shown)),
    [[["execute_result", "2"]], [["error", "too far"]], []],
  );
  assert.deepEqual(
    raw.cells.map((cell) => cell.execution_count),
    [1, 2, null],
  );
});

test("parameters are injected behind the cell tagged parameters, and param() takes its value", async () => {
  const { code, raw } = await run(
    [
      'import { param } from "millrace";',
      { tags: ["parameters"], source: 'const limit = 1;\nconst label = "a";' },
      '[limit, label, param("maxLag", 5), param("on", false)]',
    ],
    "-p",
    "limit=-2.5",
    "-p",
    "maxLag=7",
    "-p",
    "label=x=y",
    "-p",
    "on=true",
  );
  assert.equal(code, 0);
  assert.deepEqual(raw.cells[2]!.metadata.tags, ["injected-parameters"]);
  assert.equal(sourceText(raw.cells[2]!.source), '// Parameters\nconst limit = -2.5;\nconst label = "x=y";');
  assert.equal(sourceText((raw.cells[3]!.outputs![0] as any).data["text/plain"]), "[ -2.5, 'x=y', 7, true ]");
});

const wrong: readonly { name: string; args: string[]; message: RegExp }[] = [
  { name: "a name the notebook does not have", args: ["-p", "limits=2"], message: /no parameter limits[\s\S]*limit=1/ },
  { name: "a value of another type", args: ["-p", "limit=much"], message: /the parameter is a number/ },
  { name: "no value", args: ["-p", "limit"], message: /has no value/ },
  { name: "a duration without a unit", args: ["--for", "30"], message: /is not a duration/ },
];
for (const { name, args, message } of wrong) {
  test(`${name} is refused with 2, and nothing runs`, async () => {
    const { code, stderr, text, before } = await run([{ tags: ["parameters"], source: "const limit = 1;" }], ...args);
    assert.equal(code, 2);
    assert.match(stderr, message);
    assert.equal(text, before);
  });
}

test("param() with a computed default takes -p; a value out of its bounds is wrong usage", async () => {
  const cells = [
    'import { param } from "millrace";',
    'const since = param("since", new Date(0));\nconst limit = param("limit", 60 * 5, { max: 900 });\n[since.toISOString(), limit].join()',
  ];
  const good = await run(cells, "-p", "since=2026-01-02", "-p", "limit=600");
  assert.equal(good.code, 0, good.stderr);
  assert.deepEqual(shown(good.raw.cells[1]!.outputs![0]), ["execute_result", "'2026-01-02T00:00:00.000Z,600'"]);
  const bad = await run(cells, "-p", "limit=901");
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /"901" is more than 900/);
});
