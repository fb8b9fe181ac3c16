import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { suite, test } from "node:test";
import { session } from "./session.ts";

const { run, text, folder } = await session();

async function file(name: string, content: string): Promise<void> {
  const full = path.join(folder, name);
  await mkdir(path.dirname(full), { recursive: true });
  await writeFile(full, content);
}

await file(
  "one.ts",
  "import { deep } from './sub/two.ts';\nexport const one: number = deep;\nexport enum Kind { A, B }\nexport interface Shape { n: number }\n",
);
await file("sub/two.ts", "export const deep = 1;");
await file("fails.ts", "export function fail(): never {\n  throw new Error('in the file');\n}\n");
await file(
  "compiled.ts",
  "enum Kind {\n  A,\n  B,\n}\nclass Held {\n  constructor(readonly kind: Kind) {}\n}\nexport function late() {\n  throw new Error('kind ' + new Held(Kind.B).kind);\n}\n",
);
await file(
  "decorated.ts",
  "/** @param twice */\nfunction twice(v: any, _: ClassMethodDecoratorContext) {\n  return function (this: any) { return v.call(this) * 2 };\n}\nexport class Decorated {\n  @twice m() { return 21 }\n  @twice fails() { throw new Error('decorated') }\n}\n",
);
await file(
  "using.ts",
  "export const said: string[] = [];\n{\n  using r = { [Symbol.dispose]() { said.push('closed') } };\n}\n",
);
await file("wrong.ts", "export const fine = 1;\nexport const b: = 2;\n");
await file("data.json", '{ "k": 5 }');
await file("common.cjs", "const names = { thing: (x) => x + 1 };\nmodule.exports = names;");
await file("node_modules/untyped/package.json", '{ "name": "untyped", "main": "index.js" }');
await file("node_modules/untyped/index.js", "exports.answer = 42;");
await file(
  "node_modules/modern/package.json",
  '{ "name": "modern", "type": "module", "exports": { ".": "./index.js", "./sub": "./sub.js" } }',
);
await file("node_modules/modern/index.js", "export default 'modern'; export const named = 1;");
await file("node_modules/modern/sub.js", "export const sub = 'sub';");

suite("imports", () => {
  for (const [cells, shown] of [
    [["import { readFileSync } from 'node:fs'", "typeof readFileSync"], "'function'"],
    [["import * as os from 'os'; typeof os.cpus"], "'function'"],
    [["import path from 'path'; path.basename('/a/b')"], "'b'"],
    [["import { one, Kind } from './one.ts'; [one, Kind.B]"], "[ 1, 1 ]"],
    [["import { one as again } from './one'; again"], "1"],
    [["import type { Shape } from './one.ts'; const s: Shape = { n: 3 }; s.n"], "3"],
    [["import { type Shape as Form, Kind as K } from './one.ts'; const f: Form = { n: K.A }; f.n"], "0"],
    [["import data from './data.json'; data.k"], "5"],
    [["import { Decorated } from './decorated.ts'; new Decorated().m()"], "42"],
    [["import { said } from './using.ts'; said"], "[ 'closed' ]"],
    [["import common, { thing } from './common.cjs'; [thing(1), common.thing(2)]"], "[ 2, 3 ]"],
    [["import untyped, { answer } from 'untyped'; [untyped.answer, answer]"], "[ 42, 42 ]"],
    [
      ["import modern, { named } from 'modern'; import { sub } from 'modern/sub'; [modern, named, sub]"],
      "[ 'modern', 1, 'sub' ]",
    ],
    [["const { sub: dynamic } = await import('modern/sub'); dynamic"], "'sub'"],
    [["(await import('./one.ts')).one"], "1"],
    [["require('untyped').answer"], "42"],
    [["import.meta.dirname === process.cwd() || import.meta.url.startsWith('file:')"], "true"],
    [["import pl from 'nodejs-polars'; pl.DataFrame({ a: [1, 2] }).height"], "2"],
    [["import { topic } from 'millrace'; typeof topic"], "'function'"],
  ] as const)
    test(cells.join("  ▸  "), async () => assert.equal(await text(...cells), shown));
});

test("a changed file, also one imported by another, is loaded again", async () => {
  assert.equal(await text("import { one as first } from './one.ts'; first"), "1");
  await file("sub/two.ts", "export const deep = 1000;");
  assert.equal(await text("import { one as second } from './one.ts'; second"), "1000");
  assert.equal(await text("first"), "1");
});

test("an error in a local file names the file and its line, and the cell that called it", async () => {
  const { traceback } = await run("import { fail } from './fails.ts';\n\nfail()");
  assert.match(traceback, /fails\.ts:2:9/);
  assert.match(traceback, /cell \d+:3:1/);
  assert.doesNotMatch(traceback, /kernel\/cells/);
});

test("in a file with more than types, and in one that cannot be read, the line is that of the text", async () => {
  for (const [code, at] of [
    ["import { late } from './compiled.ts';\nlate()", /kind 1\n\s+at late \(\S+compiled\.ts:9:9\)\n\s+at cell \d+:2:1/],
    ["import { Decorated as D } from './decorated.ts';\nnew D().fails()", /decorated\.ts:7:26[\s\S]*cell \d+:2:9/],
    [
      "1;\nimport { fine } from './wrong.ts'",
      /SyntaxError: Type expected\.\n\s+at \S+wrong\.ts:2:17\n\s+at cell \d+:2:1/,
    ],
  ] as const)
    assert.match((await run(code)).traceback, at);
});

test("what is missing is named, with cell, line and what to do", async () => {
  for (const [code, at] of [
    ["1;\nimport nothing from 'no-such-package'", "2:1"],
    ["const a = 1;\n  await import('no-such-package/sub')", "2:9"],
    ["import '@no/such/deep'", "1:1"],
    ["import x from './no-such-file.ts'", "1:1"],
  ] as const) {
    const { traceback } = await run(code);
    assert.match(traceback, /Cannot find (package|module) '[^']*(no-such|@no\/such)/, code);
    assert.match(traceback, new RegExp(`cell \\d+:${at}\\b`), code);
    if (!code.includes("./")) assert.match(traceback, /what to do: npm install (no-such-package|@no\/such) \(in /);
  }
  assert.match(
    (await run("import { nothing as n } from './common.cjs'")).traceback,
    /no export named "nothing"|TS2305|TS2614/,
  );
});

test("a package that was missing is found once it is installed, with its types", async () => {
  assert.match((await run("import { late } from 'late-package'; late")).traceback, /late-package/);
  await file("node_modules/late-package/package.json", '{ "name": "late-package", "main": "i.js", "types": "i.d.ts" }');
  await file("node_modules/late-package/i.js", "exports.late = 5;");
  await file("node_modules/late-package/i.d.ts", "export declare const late: number;");
  assert.equal(await text("import { late } from 'late-package'; late"), "5");
  assert.match((await run("late.nothing")).traceback, /TS2339/);
});
