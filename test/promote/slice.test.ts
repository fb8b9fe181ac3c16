import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { analyse } from "../../kernel/promote/analyse.ts";
import { emitMain } from "../../kernel/promote/emit-main.ts";
import { notebookOf, type TestCell, temporaryFolder } from "./notebooks.ts";

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
    name: "what changes a value under another name is kept with the name",
    cells: [
      HEAD,
      'const settings = { limit: 1 };\nconst alias = settings;\nalias.limit = 2;\nphone.filter(pl.col("x").gt(settings.limit)).to("out");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const settings = { limit: 1 };
const alias = settings;
alias.limit = 2;
phone.filter(pl.col("x").gt(settings.limit)).to("out");`,
  },
  {
    name: "cells that set what belongs to no cell are kept where a kept statement reads it",
    cells: [
      HEAD,
      'process.env.LIMIT = "3";\nprocess.env.UNUSED = "4";',
      "(globalThis as any).scale = 2;",
      'phone.filter(pl.col("x").gt(Number(process.env.LIMIT) * (globalThis as any).scale)).to("out");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
process.env.LIMIT = "3";

// cell 3
(globalThis as any).scale = 2;

// cell 4
phone.filter(pl.col("x").gt(Number(process.env.LIMIT) * (globalThis as any).scale)).to("out");`,
  },
  {
    name: "functions with free variables, overloads, classes that extend others, and what cells export",
    cells: [
      HEAD,
      "export const base = 2;\nlet factor = 1;\nconst times = (x: number) => x * factor;\nfactor = 3;",
      "class Scale { static n = base; by() { return Scale.n; } }",
      "class Double extends Scale { twice = 2 * this.by(); }\nfunction of(x: number): number;\nfunction of(x: string): number;\nfunction of(x: number | string) { return Number(x); }",
      'phone.filter(pl.col("x").gt(times(of("1")) + new Double().twice)).to("out");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
export const base = 2;
let factor = 1;
const times = (x: number) => x * factor;
factor = 3;

// cell 3
class Scale { static n = base; by() { return Scale.n; } }

// cell 4
class Double extends Scale { twice = 2 * this.by(); }
function of(x: number): number;
function of(x: string): number;
function of(x: number | string) { return Number(x); }

// cell 5
phone.filter(pl.col("x").gt(times(of("1")) + new Double().twice)).to("out");`,
  },
  {
    name: "methods that declare sinks or set names of a cell, and functions that change what they close over, are kept where they are called",
    cells: [
      HEAD,
      "class Desk { constructor(first: string) { phone.to(first); } more(name: string) { return phone.to(name); } set() { limit = 3; } }\nlet limit = 1;\nconst count = (() => { let n = 0; return { next: () => ++n, get: () => n }; })();",
      'const desk = new Desk("a");\ndesk.more("b");\ncount.get();',
      'count.next();\nphone.filter(pl.col("x").gt(count.next())).to("out");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
class Desk { constructor(first: string) { phone.to(first); } more(name: string) { return phone.to(name); } set() { limit = 3; } }
let limit = 1;
const count = (() => { let n = 0; return { next: () => ++n, get: () => n }; })();

// cell 3
const desk = new Desk("a");
desk.more("b");

// cell 4
count.next();
phone.filter(pl.col("x").gt(count.next())).to("out");`,
  },
  {
    name: "what is set on the language's own objects is kept where a kept statement mentions it",
    cells: [
      HEAD,
      'declare global { interface Array<T> { newest(): T } }\nArray.prototype.newest = function () { return this.at(-1)!; };\nObject.assign(process.env, { LIMIT: "3", UNUSED: "4" });\nObject.assign(process.env, { OTHER: "5" });',
      'phone.filter(pl.col("x").gt([1, Number(process.env.LIMIT)].newest())).to("out");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
declare global { interface Array<T> { newest(): T; } }
Array.prototype.newest = function() { return this.at(-1)!; };
Object.assign(process.env, { LIMIT: "3", UNUSED: "4" });

// cell 3
phone.filter(pl.col("x").gt([1, Number(process.env.LIMIT)].newest())).to("out");`,
  },
  {
    name: "enums of constants become objects, which Node runs without compiling; lines need no semicolons",
    cells: [
      HEAD,
      'enum Level { low = -1, high = 5, top }\nexport const enum Name { out = "o" + "ut" }\nconst all = [Level.low]\n;[Level.top].forEach((level) => all.push(level))\nphone.filter(pl.col("x").gt(all.length))\n  .to(Name.out)',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const Level = { low: -1, "-1": "low", high: 5, 5: "high", top: 6, 6: "top" } as const;
type Level = (typeof Level)["low" | "high" | "top"];
export const Name = { out: "out" } as const;
export type Name = (typeof Name)["out"];
const all = [Level.low];
[Level.top].forEach((level) => all.push(level));
phone.filter(pl.col("x").gt(all.length))
  .to(Name.out);`,
  },
  {
    name: "a cell may require a package, which a module does not do by itself",
    cells: [HEAD, 'const { parse } = require("yaml");\nphone.filter(pl.col("x").gt(parse("2"))).to("out");'],
    main: `import { createRequire } from "node:module";
import { pl, topic } from "millrace";
const require = createRequire(import.meta.url);

// cell 1
const phone = topic("phone-data");

// cell 2
const { parse } = require("yaml");
phone.filter(pl.col("x").gt(parse("2"))).to("out");`,
  },
  {
    name: "an import of a type is one, also where the notebook does not say so",
    cells: [
      'import { StreamFrame, topic } from "millrace";\nconst phone: StreamFrame = topic("phone-data");\nphone.to("out");',
    ],
    main: `import { type StreamFrame, topic } from "millrace";
// cell 1
const phone: StreamFrame = topic("phone-data");
phone.to("out");`,
  },
  {
    name: "with a sink's run goes what is done with its report",
    cells: [
      HEAD,
      'await phone.to("a").run().then((report) => console.log(report)).catch(console.error);\nawait Promise.all([phone.to("b").run(), phone.to("c").run()]);',
    ],
    main: `import { topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
phone.to("a");
await Promise.all([phone.to("b"), phone.to("c")]);`,
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
    name: "a sink verb that is handed on, bound, called by name, or taken out of its frame",
    cells: [
      HEAD,
      'const bound = phone.to.bind(phone);\nconst { to } = phone;\nconst outs = { to: phone.to }, fs = [() => phone.to("f")];\nconst unused = phone.to;',
      'bound("a");\nto.call(phone, "b");\nphone.to.apply(phone, ["c"]);\nouts.to.call(phone, "d");\nfor (const f of fs) f();\nphone.filter(pl.col("x").gt(1))["to"]?.("e");',
    ],
    main: `import { pl, topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const bound = phone.to.bind(phone);
const { to } = phone;
const outs = { to: phone.to }, fs = [() => phone.to("f")];

// cell 3
bound("a");
to.call(phone, "b");
phone.to.apply(phone, ["c"]);
outs.to.call(phone, "d");
for (const f of fs) f();
phone.filter(pl.col("x").gt(1))["to"]?.("e");`,
  },
  {
    name: "getters, setters, static blocks, fields and default values that declare sinks run where they are used",
    cells: [
      HEAD,
      'const desk = { get open() { return phone.to("a"); }, get shut() { return 1; } };\nclass Desk { static limit = 0; static { Desk.limit = 3; phone.to("b"); } set name(n: string) { phone.to(n); } }\nclass Field { out = phone.to("d"); }',
      'desk.shut;\ndesk.open;\nnew Desk().name = "c";\nconst made = new Field();\nconst late = (s = phone.to("e")) => s;',
      "const { open } = desk;\nlate();",
    ],
    main: `import { topic } from "millrace";
// cell 1
const phone = topic("phone-data");

// cell 2
const desk = { get open() { return phone.to("a"); }, get shut() { return 1; } };
class Desk { static limit = 0; static { Desk.limit = 3; phone.to("b"); } set name(n: string) { phone.to(n); } }
class Field { out = phone.to("d"); }

// cell 3
desk.shut;
desk.open;
new Desk().name = "c";
const made = new Field();
const late = (s = phone.to("e")) => s;

// cell 4
const { open } = desk;
late();`,
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

test("a local module that writes a frame when it is imported is a sink; it comes along with what it imports", async () => {
  const folder = await temporaryFolder();
  await writeFile(
    path.join(folder, "alerts.ts"),
    'import { topic } from "millrace";\nimport { name } from "./name.ts";\ntopic("a").to(name);\n',
  );
  await writeFile(path.join(folder, "name.ts"), 'export const name = "out";\n');
  const { slice, needs, parameters, problems } = analyse(notebookOf(['import "./alerts.ts";'], folder));
  assert.deepEqual(problems, []);
  assert.deepEqual([...needs.files.values()], ["alerts.ts", "name.ts"]);
  const text = emitMain(slice, { notebook: "test.ipynb", name: "test", schemas: {}, needs, parameters });
  assert.match(text, /^import "\.\/alerts\.ts";$/m);
});

const MODULES: readonly {
  name: string;
  files: Record<string, string>;
  cells: readonly string[];
  kept: string[];
  along: string[];
}[] = [
  {
    name: "a module that imports one with a sink of its own",
    files: {
      "outer.ts": 'import "./inner.ts";\n',
      "inner.ts": 'import { topic } from "millrace";\ntopic("a").to("out");\n',
    },
    cells: ['import "./outer.ts";'],
    kept: ['import "./outer.ts";'],
    along: ["inner.ts", "outer.ts"],
  },
  {
    name: "classes and getters of a module, by way of another that exports them under other names",
    files: {
      "desk.ts":
        'import type { StreamFrame } from "millrace";\nexport default class { constructor(f: StreamFrame) { declare(f, "a"); } }\nexport const lazy = (f: StreamFrame) => ({ get out() { return declare(f, "b"); } });\nconst declare = (f: StreamFrame, name: string) => f.to(name);\n',
      "index.ts": 'export { default as Desk, lazy } from "./desk.ts";\nexport * as limits from "./limits.ts";\n',
      "limits.ts": "export const low = 1;\n",
    },
    cells: [
      'import { Desk, lazy, limits } from "./index.ts";',
      "const q = lazy(phone);",
      "new Desk(phone);\nq.out;\nlimits.low;",
    ],
    kept: ["const q = lazy(phone);", "new Desk(phone);", "q.out;"],
    along: ["desk.ts", "index.ts", "limits.ts"],
  },
  {
    name: "what a cell changes inside a module is kept where what the module gives is used",
    files: {
      "settings.ts":
        "const held = { limit: 1 };\nlet calls = 0;\nexport const limit = () => held.limit + calls;\nexport function set(n: number) { held.limit = n; }\nexport const count = () => again();\nconst again = () => { calls++; };\nexport const pure = (n: number) => { const own = [n]; own.push(n); return own; };\n",
      "other.ts":
        "export const table = new Map<string, number>();\nexport const note = (k: string) => table.set(k, 1);\n",
    },
    cells: [
      'import { set, limit, count, pure } from "./settings.ts";\nimport { note } from "./other.ts";',
      'set(3);\ncount();\npure(1);\nnote("x");',
      'phone.filter(pl.col("x").gt(limit())).to("out");\nset(4);',
    ],
    kept: ["set(3);", "count();", 'phone.filter(pl.col("x").gt(limit())).to("out");'],
    along: ["settings.ts"],
  },
];

for (const { name, files, cells, kept, along } of MODULES)
  test(`local modules: ${name}`, async () => {
    const folder = await temporaryFolder();
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text);
    const { slice, needs, problems } = analyse(notebookOf([HEAD, ...cells], folder));
    assert.deepEqual(problems, []);
    const statements = slice.units.filter(
      ({ index, node }) => slice.kept.has(index) && !/^import \{|^const phone/.test(node.getText()),
    );
    assert.deepEqual(
      statements.map(({ statement }) => statement.getText()),
      kept,
    );
    assert.deepEqual([...needs.files.values()], along);
  });

test("files named by relative paths come along, whatever opens them; modules outside keep their places", async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, "book", "data"), { recursive: true });
  for (const file of ["book/devices.csv", "book/model.onnx", "book/data/names", "scale.ts"])
    await writeFile(path.join(folder, file), "export const scale = 1;\n");
  const cells = [
    'import { readFileSync } from "node:fs";\nimport { scale } from "../scale.ts";\nimport { pl, topic } from "millrace";',
    'const model = "./model.onnx";\nconst size = [model, "devices.csv", "data/names"].map((file) => readFileSync(file).length);\nconst names = readFileSync("data/names");',
    'topic("a").filter(pl.col("x").gt(size[0] + scale + names.length)).to("out");',
  ];
  const { needs, slice, parameters } = analyse(notebookOf(cells, path.join(folder, "book")));
  assert.deepEqual(
    [...needs.files.values()],
    ["modules/book/data/names", "modules/book/devices.csv", "modules/book/model.onnx", "modules/scale.ts"],
  );
  const text = emitMain(slice, { notebook: "test.ipynb", name: "test", schemas: {}, needs, parameters });
  assert.match(text, /from "\.\/modules\/scale\.ts"/);
  assert.match(text, /"\.\/modules\/book\/model\.onnx"/);
  assert.match(text, /readFileSync\("modules\/book\/data\/names"\)/);
});

test("names that the job needs for itself give way", () => {
  const cells = [HEAD, 'const main = 1, job = 2;\nphone.filter(pl.col("x").gt(main + job)).to("out");'];
  const { slice, needs, parameters } = analyse(notebookOf(cells));
  const text = emitMain(slice, { notebook: "test.ipynb", name: "test", schemas: {}, needs, parameters });
  assert.match(text, /import \{ job as millraceJob \} from "millrace\/job";/);
  assert.match(text, /const millraceMain = millraceJob\(\{/);
  assert.match(text, /await millraceMain\.run\(\);\n$/);
});
