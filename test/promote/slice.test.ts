import assert from "node:assert/strict";
import { test } from "node:test";
import { analyse } from "../../kernel/promote/analyse.ts";
import { emitMain } from "../../kernel/promote/emit-main.ts";
import { notebookOf, type TestCell } from "./notebooks.ts";

const HEAD = 'import { pl, topic } from "millrace";\nconst phone = topic("phone-data");';

/** What a notebook becomes: the imports, and the statements behind the job's declaration. */
function promoted(cells: readonly TestCell[]): string {
  const { slice, needs, parameters } = analyse(notebookOf(cells));
  const text = emitMain(slice, { notebook: "test.ipynb", name: "test", schemas: {}, needs, parameters });
  const imports = text.split("\n").filter((line) => line.startsWith("import ") && !line.includes("millrace/job"));
  const statements = text.slice(text.indexOf("});\n") + 4, text.indexOf("await main.run()"));
  return [...imports, ...statements.trim().split("\n")].join("\n");
}

const slices: readonly { name: string; cells: readonly TestCell[]; main: string }[] = [
  {
    name: "display, logs and unused imports fall away",
    cells: [
      'import { pl, topic, param } from "millrace";\nimport fs from "node:fs";',
      'const phone = topic("phone-data");\nphone',
      'console.log("here");\ndisplay(phone);\nawait phone.collect();\nphone.live()',
      'phone.filter(pl.col("x").gt(2)).to("out");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 2
const phone = topic("phone-data");

// cell 4
phone.filter(pl.col("x").gt(2)).to("out");`,
  },
  {
    name: "a sink that the notebook runs is kept without its run",
    cells: [
      HEAD,
      'await phone.to("a").run({ until: 10 });',
      'const alerts = phone.to("b");\nawait alerts.run();',
      'const report = await phone.filter(pl.col("x").gt(1)).to("c").run();\nreport',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
phone.to("a");

// cell 3
const alerts = phone.to("b");

// cell 4
const report = phone.filter(pl.col("x").gt(1)).to("c");`,
  },
  {
    name: "of several declarations in one statement only the needed ones stay",
    cells: [HEAD, 'const a = 1, b = phone.live(), c = 3; // numbers\nphone.filter(pl.col("x").gt(a + c)).to("out")'],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const a = 1, c = 3; // numbers
phone.filter(pl.col("x").gt(a + c)).to("out");`,
  },
  {
    name: "sinks in loops, in functions that are called, and under another spelling",
    cells: [
      HEAD,
      'function publish(name: string) {\n  phone.to(name);\n}\nfunction never() { phone.to("never"); }',
      'publish("a");\nfor (const name of ["b", "c"]) {\n  phone.to(name);\n}\n["d"].forEach((name) => phone["to"](name));',
    ],
    main: `import { topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
function publish(name: string) {
  phone.to(name);
}

// cell 3
publish("a");
for (const name of ["b", "c"]) {
  phone.to(name);
}
["d"].forEach((name) => phone["to"](name));`,
  },
  {
    name: "a method called to that is no frame's is no sink",
    cells: [HEAD, 'const other = { to: (name: string) => name };\nother.to("x");\nphone.to("y");'],
    main: `import { topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
phone.to("y");`,
  },
  {
    name: "functions, classes, types, destructuring and constants come along across cells",
    cells: [
      HEAD,
      "interface Limits { low: number; high: number }\ntype Unused = string;\nclass Scale { constructor(readonly_: number) { this.by = readonly_; } by: number; }",
      "const limits: Limits = { low: 1, high: 2 };\nconst { low, high: top } = limits;",
      "const twice = (x: number) => x * new Scale(2).by;",
      'phone.filter(pl.col("x").gt(twice(low)).and(pl.col("x").lt(top))).to("out");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
interface Limits { low: number; high: number; }
class Scale { constructor(readonly_: number) { this.by = readonly_; } by: number; }

// cell 3
const limits: Limits = { low: 1, high: 2 };
const { low, high: top } = limits;

// cell 4
const twice = (x: number) => x * new Scale(2).by;

// cell 5
phone.filter(pl.col("x").gt(twice(low)).and(pl.col("x").lt(top))).to("out");`,
  },
  {
    name: "what fills a value before its use is kept, what comes after is not",
    cells: [
      HEAD,
      'const names: string[] = [];\nnames.push("x");\nlet bound = 1;\nbound += 1;\nfor (const name of names) phone.filter(pl.col(name).gt(bound)).to("out");\nnames.push("late");\nbound = 9;',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const names: string[] = [];
names.push("x");
let bound = 1;
bound += 1;
for (const name of names) phone.filter(pl.col(name).gt(bound)).to("out");`,
  },
  {
    name: "imports are merged; aliases, defaults and types stay as they are",
    cells: [
      'import { topic as open } from "millrace";',
      'import { pl } from "millrace";\nimport path, { join as put } from "node:path";\nimport type { Schema } from "millrace";\nimport { open as unused } from "node:fs";',
      'const schema: Schema = { x: "Int64" };\nopen(put("a", path.sep), { schema }).select(pl.col("x")).to("out");',
    ],
    main: `import path, { join as put } from "node:path";
import { pl, type Schema, topic as open } from "millrace";
// cell 3
const schema: Schema = { x: "Int64" };
open(put("a", path.sep), { schema }).select(pl.col("x")).to("out");`,
  },
  {
    name: "the constants of a cell tagged parameters become parameters",
    cells: [
      HEAD,
      { tags: ["parameters"], source: 'const threshold = 2.5, label = "x"; // tuned by hand\nlet unused = true;' },
      'phone.filter(pl.col(label).gt(threshold)).to("out");',
    ],
    main: `import { param, pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const threshold = param("threshold", 2.5), label = param("label", "x"); // tuned by hand

// cell 3
phone.filter(pl.col(label).gt(threshold)).to("out");`,
  },
  {
    name: "what papermill injected takes the place of the parameters",
    cells: [
      HEAD,
      { tags: ["parameters"], source: "const threshold = 2.5;" },
      { tags: ["injected-parameters"], source: "const threshold = 7;" },
      'phone.filter(pl.col("x").gt(threshold)).to("out");',
    ],
    main: `import { param, pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 3
const threshold = param("threshold", 7);

// cell 4
phone.filter(pl.col("x").gt(threshold)).to("out");`,
  },
  {
    name: "tags keep, skip and setup, and their comments",
    cells: [
      HEAD,
      { tags: ["skip"], source: 'phone.to("skipped");' },
      { tags: ["keep"], source: 'process.title = "job";' },
      { tags: ["setup"], source: 'import "node:events";' },
      '// @skip\nphone.to("skipped, too");\n// why it stays\n// @keep\nprocess.exitCode = 0;\nphone.to("out");',
    ],
    main: `import "node:events";
import { topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 3
process.title = "job";

// cell 5
// why it stays
process.exitCode = 0;
phone.to("out");`,
  },
  {
    name: "Windows line ends become the job's",
    cells: [HEAD, 'const text = `a\r\nb`;\r\nphone\r\n  .filter(pl.col("x").gt(text.length))\r\n  .to("out");'],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const text = \`a
b\`;
phone
  .filter(pl.col("x").gt(text.length))
  .to("out");`,
  },
  {
    name: "top-level await, comments and the titles of cells",
    cells: [
      HEAD,
      "# Clean *up*\n\nSome words.",
      "/* a block\n   of words */\nconst limit = await Promise.resolve(3);\n\n\n// the alert\nphone.filter(pl.col('x').gt(limit)).to('out') // to the desk",
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2 · "Clean *up*"
/* a block
   of words */
const limit = await Promise.resolve(3);

// the alert
phone.filter(pl.col('x').gt(limit)).to('out'); // to the desk`,
  },
];

for (const { name, cells, main } of slices) test(name, () => assert.equal(promoted(cells), main));

test("names that the job needs for itself give way", () => {
  const cells = [HEAD, 'const main = 1, job = 2;\nphone.filter(pl.col("x").gt(main + job)).to("out");'];
  const { slice, needs, parameters } = analyse(notebookOf(cells));
  const text = emitMain(slice, { notebook: "test.ipynb", name: "test", schemas: {}, needs, parameters });
  assert.match(text, /import \{ job as millraceJob \} from "millrace\/job";/);
  assert.match(text, /const millraceMain = millraceJob\(\{/);
  assert.match(text, /await millraceMain\.run\(\);\n$/);
});
