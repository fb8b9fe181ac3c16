// What cells mean: each row is a few cells and what the last one shows.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { session } from "./session.ts";

const { run, text } = await session();

const shows: Record<string, readonly (readonly [cells: readonly string[], shown: unknown])[]> = {
  "the last expression": [
    [["1 + 1"], "2"],
    [["1 + 1;"], "2"],
    [["const a0 = 1"], undefined],
    [["undefined"], undefined],
    [["null"], "null"],
    [["'text'"], "'text'"],
    [["'use strict'; 5"], "5"],
    [["await Promise.resolve(7)"], "7"],
    [["Promise.resolve(7)"], "7"],
    [["if (true) 5"], undefined],
    [["({ a: 1 })"], "{ a: 1 }"],
    [["// nothing but a comment"], undefined],
    [[""], undefined],
    [["new Proxy({}, { get() { throw new Error('trap') } })"], "{}"],
    [["const trapped = new Proxy({}, { get() { throw new Error('trap') } })", "trapped"], "{}"],
    [["#!/usr/bin/env node\n6"], "6"],
    [["export default { a: 1, b: 2 }"], "{ a: 1, b: 2 }"],
    [["typeof __dirname + typeof require + typeof import.meta.url"], "'stringfunctionstring'"],
    [["await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))"], "Module [WebAssembly.Module] {}"],
    [["({ then: (done: (v: number) => void) => done(8) })"], "8"],
  ],
  "await stands anywhere": [
    [
      [
        "const said9: string[] = []; for (const n of [1, 2]) { try { await Promise.reject(new Error('e' + n)) } catch (e) { said9.push(e.message) } finally { await null } } said9",
      ],
      "[ 'e1', 'e2' ]",
    ],
    [["let which9 = ''; switch (await 1) { case await 1: which9 = 'one' } which9"], "'one'"],
    [
      [
        "const [first9 = await 1, ...rest9] = [undefined, 2]; const { z9 = await 9 } = {} as { z9?: number }; [first9, rest9, z9]",
      ],
      "[ 1, [ 2 ], 9 ]",
    ],
    [
      [
        "let turns9 = 0; do { turns9 += await 1 } while (await (turns9 < 3)); if (await true) turns9 += await 1; turns9",
      ],
      "4",
    ],
    [["class Later9 { static async of() { return await 5 } } 1 + (await Later9.of())"], "6"],
  ],
  "names across cells": [
    [["const a1 = 2", "a1 * 2"], "4"],
    [["let b1 = 1", "b1 += 4", "b1"], "5"],
    [["let c1 = 1; function addOne() { return ++c1; }", "addOne(); addOne()", "c1"], "3"],
    [["class Point { constructor(readonly x: number) {} }", "new Point(3).x"], "3"],
    [["enum Color { Red, Green }", "Color[Color.Green]"], "'Green'"],
    [["const enum Fixed { A = 4 }", "Fixed.A"], "4"],
    [["namespace Space { export const v = 9 }", "Space.v"], "9"],
    [
      [
        "namespace Long { export namespace Inner { export const v = 7; export type T = number } }",
        "import Short = Long.Inner; Short.v",
        "const t9: Short.T = Short.v; t9",
      ],
      "7",
    ],
    [
      [
        "namespace Types { export interface Only { n: number } }",
        "import Alias = Types.Only",
        "const o9: Alias = { n: 8 }; o9.n",
      ],
      "8",
    ],
    [["interface Shape { side: number }", "const s1: Shape = { side: 2 }; s1.side"], "2"],
    [["type Id = string | number", "const i1: Id = 'x'; i1"], "'x'"],
    [
      [
        "const { d1, rest: [e1, ...f1], g1 = d1 + 1 } = { d1: 1, rest: [2, 3, 4] } as { d1: number; rest: number[]; g1?: number }",
        "[d1, e1, f1, g1]",
      ],
      "[ 1, 2, [ 3, 4 ], 2 ]",
    ],
    [["const h1 = 1, k1 = h1 + 1", "k1"], "2"],
    [["let l1 = 1, m1 = 2; [l1, m1] = [m1, l1]", "({ l1, m1 })"], "{ l1: 2, m1: 1 }"],
    [["let n1 = 0", "({ n1 } = { n1: 5 }); n1"], "5"],
    [["const tag = (parts: TemplateStringsArray) => parts[0]", "tag`hello`"], "'hello'"],
    [["export const o1 = 3; export default function p1() { return o1 }", "p1()"], "3"],
    [["const arrow = () => 1; arrow.name"], "'arrow'"],
    [
      [
        "async function* ticks() { yield 1; yield 2 }",
        "const all = []; for await (const t of ticks()) all.push(t); all",
      ],
      "[ 1, 2 ]",
    ],
    [["const q1 = 1; { const q1 = 2; var inner = q1 } q1"], "1"],
    [["function later() { return early() } function early() { return 'hoisted' } later()"], "'hoisted'"],
    [
      [
        "class Counter { static one = new Counter(); n = 1; static of() { return new Counter() } }",
        "Counter.one instanceof Counter && Counter.of().n",
      ],
      "1",
    ],
    [["const deep = { list: [{ v: 1 }] }", "const { list: [{ v: deepV }] } = deep; deepV"], "1"],
  ],
  "var in blocks and loops is the cell's": [
    [["if (true) { var r3 = 3 }", "r3 += 1", "r3"], "4"],
    [["for (var s3 = 0, t3 = 10; s3 < 3; s3++) t3 += s3", "[s3, t3]"], "[ 3, 13 ]"],
    [
      [
        "for (var u3 of [1, 2]) {} for (var v3 in { key: 1 }) {} try { var w3 = () => u3 } finally {}",
        "[u3, v3, w3()]",
      ],
      "[ 2, 'key', 2 ]",
    ],
    [
      [
        "{ var { x: x3, y: [y3 = 7, ...z3], ['k' + 1]: k3, ...rest3 } = { x: 1, y: [undefined, 8, 9], k1: 4, p: 5 } as any }",
        "[x3, y3, z3, k3, rest3]",
      ],
      "[ 1, 7, [ 8, 9 ], 4, { p: 5 } ]",
    ],
    [
      [
        "for (var [a4, b4] of new Map([[1, 2]])) { var fn4 = () => a4 + b4 } fn4!()",
        "(function () { var a4 = 'local'; return a4 })() + a4",
      ],
      "'local1'",
    ],
    [
      [
        "switch (1) { case 1: var empty4: number; var c4 = 5; empty4 = c4 } label: for (var d4 = 0; ; ) { break label }",
        "[empty4, c4, d4]",
      ],
      "[ 5, 5, 0 ]",
    ],
    [["var e4 = 1; var e4 = 2; for (var e4 = 3; e4 < 5; e4++) {}", "e4 += 1; e4"], "6"],
  ],
  redefinition: [
    [["const a2 = 1", "const a2 = 'now a string'", "a2.length"], "12"],
    [
      ["function f2() { return 1 }", "function callF2() { return f2() }", "function f2() { return 2 }", "callF2()"],
      "2",
    ],
    [["class C2 { one = 1 }", "class C2 { two = 2 }", "new C2().two"], "2"],
    [["type T2 = string", "type T2 = number", "const t2: T2 = 5; t2"], "5"],
    [["let l2 = 1", "const l2 = { x: 1 }", "l2.x"], "1"],
    [["import { join as j2 } from 'node:path'", "const j2 = (a: string) => a", "j2('mine')"], "'mine'"],
    [["const display = 5", "display"], "5"],
    [["const __dirname = 'mine'", "__dirname"], "'mine'"],
  ],
  "what TypeScript adds": [
    [
      [
        "function twice(v: any, c: ClassMethodDecoratorContext) { return function (this: any) { return v.call(this) * 2 } }",
        "class D3 { @twice m() { return 21 } } new D3().m()",
      ],
      "42",
    ],
    [
      [
        "const order: string[] = []; { using r = { [Symbol.dispose]() { order.push('closed') } }; order.push('used') } order",
      ],
      "[ 'used', 'closed' ]",
    ],
    [["abstract class A3 { abstract n: number } class B3 extends A3 { n = 1 }", "new B3().n"], "1"],
    [["const sat = { a: 1 } satisfies Record<string, number>; (sat as any)!.a"], "1"],
    [
      [
        "function over(x: string): string; function over(x: number): number; function over(x: any) { return x }",
        "over(3)",
      ],
      "3",
    ],
    [["class P3 { constructor(private readonly secret = 5) {} get() { return this.secret } }", "new P3().get()"], "5"],
  ],
};

for (const [what, rows] of Object.entries(shows))
  suite(what, () => {
    for (const [cells, shown] of rows)
      test(cells.join("  ▸  ").replaceAll("\n", " ") || "(empty cell)", async () =>
        assert.equal(await text(...cells), shown),
      );
  });

suite("names that end with their cell", () => {
  test("await using is waited for", async () => {
    const { stdout } = await run(
      "await using res = { async [Symbol.asyncDispose]() { await null; console.log('closed') } }; console.log('open')",
    );
    assert.equal(stdout, "open\nclosed\n");
  });

  test("using is closed when the cell ends, and not seen later", async () => {
    const { stdout } = await run("using file = { [Symbol.dispose]() { console.log('closed') } }; console.log('open')");
    assert.equal(stdout, "open\nclosed\n");
    assert.match((await run("file")).traceback, /Cannot find name 'file'/);
  });
});

suite("what strictness must not refuse", () => {
  for (const code of [
    "function implicit(x) { return x }",
    "const later = []; later.push(1); later",
    "try { throw new Error('x') } catch (e) { console.log(e.message) }",
    "class Lazy { value: number }",
    "let unused = 1",
    "const bag: Record<string, number> = {}; bag['x']",
    "const o: any = {}; o.anything.deep",
    "let self = () => self",
    "import missing from './does-not-exist-yet.ts'",
  ])
    test(code, async () => assert.doesNotMatch((await run(code)).traceback, /TS\d+/));
});

test("a type error names cell, line and column, marks the text, and nothing runs", async () => {
  const { end, traceback, stdout } = await run("console.log('ran');\nconst n: number = 'text';");
  assert.equal(end.status === "error" && end.ename, "TypeScriptError");
  assert.match(
    traceback,
    /^cell \d+:2:7 - error TS2322: Type 'string' is not assignable to type 'number'\.\n\n2 const n: number = 'text';\n {8}~$/m,
  );
  assert.equal(stdout, "");
});

test("an error of millrace says what, where and what to do, and which line of the cell; not where in the library", async () => {
  const { traceback } = await run(
    'import { pl, topic } from "millrace";\n\ntopic("phones").select(pl.col("x").mean());',
  );
  assert.match(traceback, /^Refusal: [\s\S]*what to do:/);
  assert.match(traceback, /at cell \d+:3:17\n {6}topic\("phones"\)\.select[^\n]*\n {22}\^/);
  assert.doesNotMatch(traceback, /\/lib\/|code: '/);
});

test("types hold across cells", async () => {
  await run("const typed = { a: 1, b: 'x' }; let changing = 1");
  assert.match((await run("typed.c")).traceback, /TS2339/);
  assert.match((await run("changing = 'text'")).traceback, /TS2322/);
  assert.match((await run("typed = 1")).traceback, /TS2632|TS2588/);
});

test("a syntax error is told in the same way", async () => {
  assert.match((await run("const = 3")).traceback, /cell \d+:1:7 - error TS1134/);
});

test("silent and store_history: false leave the count; silent leaves no output", async () => {
  const before = (await run("1")).end.executionCount;
  const silent = await run("console.log('x'); 5", { silent: true });
  assert.deepEqual([silent.stdout, silent.shown.length], ["", 0]);
  assert.equal((await run("6", { storeHistory: false })).text, "6");
  assert.equal((await run("2")).end.executionCount, before + 1);
});

test("user expressions see the session; each fails by itself", async () => {
  const { end } = await run("const ue = 20", { userExpressions: { good: "ue + 1", bad: "nowhere" } });
  assert.ok(end.status === "ok");
  assert.deepEqual(end.userExpressions.good, { status: "ok", data: { "text/plain": "21" }, metadata: {} });
  assert.equal(end.userExpressions.bad?.status, "error");
});
