import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, suite, test } from "node:test";
import { CellLanguage, REHEARSED } from "../../../kernel/language/cell-language.ts";
import { codePointsFromUnits, unitsFromCodePoints } from "../../../kernel/language/code-points.ts";

const folder = await mkdtemp(path.join(tmpdir(), "millrace-language-"));
after(() => rm(folder, { recursive: true, force: true }));
await writeFile(
  path.join(folder, "helper.ts"),
  "/** Doubles a number. */\nexport const twice = (n: number) => 2 * n;\n",
);
const language = new CellLanguage(folder);

/** Completes at `|`. */
const completed = (marked: string) => {
  const code = marked.replace("|", "");
  const { matches, cursorStart, cursorEnd, items } = language.complete(
    code,
    [...marked.slice(0, marked.indexOf("|"))].length,
  );
  return { matches, replaced: [...code].slice(cursorStart, cursorEnd).join(""), items };
};

const inspected = (marked: string, detail: 0 | 1 = 0) => {
  const found = language.inspect(marked.replace("|", ""), [...marked.slice(0, marked.indexOf("|"))].length, detail);
  return found.found ? found.plain : "nothing";
};

language.compile(
  "cell 1",
  `/** How hard it may shake. */
const threshold = 2.5;
let counter = 0;
/** Adds two numbers. @param left the first */
function add(left: number, right: number) { return left + right }
class Phone { device = "a";
  /** Its force. */ force() { return 1 } }
import { twice } from "./helper.ts";
interface Reading { value: number }
type KindOf = "a" | "b";
enum Color { Red }
import * as osModule from "node:os";
const before = 1; /** Said beside. */ const beside = 2; /** A function
 * beside. */ function besides(a: number) { return a }`,
);

suite("completion", () => {
  for (const [marked, matches, replaced] of [
    ["thresh|", ["threshold"], "thresh"],
    ["new Phone().for|", ["force"], "for"],
    ["add(coun|, 2)", ["counter"], "coun"],
    ["twi|", ["twice"], "twi"],
    ["const s = '😀😀'; thresh|", ["threshold"], "thresh"],
    ["'😀'; new Phone().dev|ice", ["device"], "device"],
    ["const own = { inner: 1 }; own.inn|", ["inner"], "inn"],
    ["import { tw| } from './helper.ts'", ["twice"], "tw"],
    ["import x from './hel|'", ["helper.ts"], "hel"],
  ] as const)
    test(marked, () => {
      const found = completed(marked);
      assert.deepEqual(found.matches, matches);
      assert.equal(found.replaced, replaced);
    });

  test("each match says what it is", () => {
    for (const [marked, type] of [
      ["thresh|", "const"],
      ["count|", "let"],
      ["ad|d", "function"],
      ["Phon|", "class"],
      ["twic|", "const"],
      ["let r: Rea|", "interface"],
      ["let r: Kind|", "type"],
      ["Col|", "enum"],
      ["osModu|", "module"],
      ["osModule.const|", "module"],
      ["osModule.EO|", "const"],
    ] as const)
      assert.equal(completed(marked).items[0]?.type, type, marked);
    assert.deepEqual(completed("new Phone().for|").items, [{ text: "force", type: "method" }]);
  });

  test("the kernel's own globals", () => assert.ok(completed("disp|").matches.includes("display")));
});

suite("inspection", () => {
  for (const [marked, shown] of [
    ["thresh|old", /^const threshold: 2\.5\n\nHow hard it may shake\.$/],
    ["counter|", /counter: number/],
    ["add|", /function add\(left: number, right: number\): number[\s\S]*Adds two numbers/],
    ["add(1, |", /add\(left: number, right: number\): number[\s\S]*Adds two numbers/],
    ["twice|", /twice: \(n: number\) => number[\s\S]*Doubles a number/],
    ["new Phone().fo|rce", /Phone\.force\(\): number[\s\S]*Its force/],
    ["'😀'; Math.ma|x", /max\(\.\.\.values: number\[\]\): number/],
    ["beside|", /const beside: 2\n\nSaid beside\./],
    ["besides|(1)", /function besides\(a: number\): number\n\nA function\nbeside\./],
    ["const here = 1; /** Right here. */ const there = 2; the|re", /Right here\./],
    ["before|", /^const before: 1$/],
    ["nowhere_at_all|", /^nothing$/],
    ["nowhere.at.all|", /^nothing$/],
    ["const loose: any = 1; loo|se", /^const loose: any$/],
  ] as const)
    test(marked, () => assert.match(inspected(marked), shown));

  test("in Markdown each tag is a paragraph of its own", () => {
    const found = language.inspect("Array.prototype.map", 19, 0);
    assert.ok(found.found && /\n\n@param callbackfn [^\n]*\n\n@param thisArg /.test(found.markdown));
    assert.ok(found.found && /\n\n@param callbackfn [^\n]*\n@param thisArg /.test(found.plain));
  });

  test("with more detail, where it is defined", () =>
    assert.match(inspected("parseInt|", 1), /Defined in .*lib\.es5\.d\.ts/));
});

suite("is it complete", () => {
  for (const [code, status, indent] of [
    ["1", "complete"],
    ["", "complete"],
    ["class A {}", "complete"],
    ["const f = (x: number): number =>", "incomplete", "  "],
    ["if (x) {", "incomplete", "  "],
    ["if (x) {\n  while (y) {", "incomplete", "    "],
    ["if (x) {\n  y()", "incomplete", "  "],
    ["f(`a", "incomplete", ""],
    ["1 +", "incomplete", ""],
    ["const 1", "invalid"],
    ["'open", "invalid"],
    ["/unfinished", "invalid"],
    ["const r = /unfinished", "invalid"],
    ["return", "invalid"],
    ["if (1) { return 5 }", "invalid"],
    ["const f = () => { return 5 }", "complete"],
    ["class A { static { } m() { return 1 } }", "complete"],
    ["}", "invalid"],
  ] as const)
    test(JSON.stringify(code), () =>
      assert.deepEqual(language.isComplete(code), indent === undefined ? { status } : { status, indent }),
    );
});

test("types of one name are told apart by their cells, and a line is shown as it was written", () => {
  language.compile("cell 11", "class Twin { one = 1 }\nconst twin = new Twin()");
  language.compile("cell 12", "class Twin { one = 1; two = 2 }");
  const [diagnostic] = language.compile("cell 13", "export const other: Twin = twin").diagnostics;
  assert.equal(
    diagnostic?.message,
    "Property 'two' is missing in type 'Twin (cell 11)' but required in type 'Twin (cell 12)'.",
  );
  assert.deepEqual([diagnostic?.lineText, diagnostic?.column], ["export const other: Twin = twin", 14]);
});

test("code points and UTF-16 units lead back to each other", () => {
  const text = "a😀b€𝒳";
  for (const [codePoints, units] of [
    [0, 0],
    [1, 1],
    [2, 3],
    [3, 4],
    [4, 5],
    [5, 7],
  ] as const) {
    assert.equal(unitsFromCodePoints(text, codePoints), units);
    assert.equal(codePointsFromUnits(text, units), codePoints);
  }
});

test("a type that changed in a local file is seen by the next cell", async () => {
  await writeFile(path.join(folder, "changing.ts"), "export const value = 1;");
  assert.deepEqual(
    language.compile("cell 2", "import { value } from './changing.ts'; value.toFixed()").diagnostics,
    [],
  );
  await writeFile(path.join(folder, "changing.ts"), "export const value = 'now text';  ");
  const { diagnostics } = language.compile("cell 3", "import { value } from './changing.ts'; value.toFixed()");
  assert.match(diagnostics[0]!.message, /'toFixed' does not exist on type '"now text"'/);
});

test("what is rehearsed while nobody asks is a cell without errors, and leaves nothing behind", () => {
  language.rehearse();
  const { diagnostics } = language.compile("after", "nearest0(1)");
  assert.equal(diagnostics.length, 1, "a name of the rehearsal is not seen");
  assert.deepEqual(new CellLanguage(folder).compile("rehearsed", REHEARSED).diagnostics, []);
});
