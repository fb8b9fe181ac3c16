import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { analyse } from "../../kernel/promote/analyse.ts";
import { sha256 } from "../../kernel/promote/notebook.ts";
import { judge, PromotionRefusal } from "../../kernel/promote/problem.ts";
import { notebookOf, type TestCell, temporaryFolder } from "./notebooks.ts";

const HEAD = 'import { param, pl, topic } from "millrace";\nconst phone = topic("phone-data");';
const SINK = 'phone.to("out");';

const journal = (source: string, seq: number, ok = true) => ({
  millrace: { seq, session: "s", cellId: "c", executionCount: seq, sha256: sha256(source), ok, reads: [] },
});

const refusals: readonly { name: string; cells: readonly TestCell[]; found: readonly string[] }[] = [
  { name: "nothing is wrong", cells: [HEAD, SINK], found: [] },
  { name: "no sink", cells: [HEAD, "phone"], found: ["NO_SINK"] },
  {
    name: "edited since it ran",
    cells: [
      { source: HEAD, count: 1, metadata: journal(HEAD, 1) },
      { source: SINK, count: 2, metadata: journal('phone.to("other");', 2) },
    ],
    found: ["EDITED_SINCE_RUN cell 2, line 1"],
  },
  {
    name: "an edited cell that the job does not need is nobody's business",
    cells: [
      { source: HEAD, count: 1, metadata: journal(HEAD, 1) },
      { source: "phone", count: 2, metadata: journal("phones", 2) },
      { source: SINK, count: 3, metadata: journal(SINK, 3) },
    ],
    found: [],
  },
  {
    name: "threw when it ran",
    cells: [
      { source: HEAD, count: 1 },
      { source: SINK, count: 2, metadata: journal(SINK, 2, false) },
    ],
    found: ["FAILED_WHEN_RUN cell 2, line 1"],
  },
  { name: "a needed cell never ran", cells: [{ source: HEAD, count: 1 }, SINK], found: ["NOT_RUN cell 2, line 1"] },
  {
    name: "ran out of order",
    cells: [
      { source: HEAD, count: 3 },
      { source: SINK, count: 2 },
    ],
    found: ["OUT_OF_ORDER cell 2, line 1"],
  },
  {
    name: "used above the cell that declares it",
    cells: [HEAD, 'phone.filter(pl.col("x").gt(limit)).to("out");', "const limit = 2;"],
    found: ["OUT_OF_ORDER cell 2, line 1"],
  },
  {
    name: "a name of a deleted cell",
    cells: [HEAD, '\nphone.filter(pl.col("x").gt(gone)).to("out");'],
    found: ["UNDECLARED_NAME cell 2, line 2"],
  },
  {
    name: "a name of a skipped cell",
    cells: [HEAD, { tags: ["skip"], source: "const limit = 2;" }, 'phone.filter(pl.col("x").gt(limit)).to("out");'],
    found: ["SKIPPED_NAME cell 3, line 1"],
  },
  {
    name: "one name defined twice, and both meanings needed",
    cells: [
      HEAD,
      'const limit = 1;\nphone.filter(pl.col("x").gt(limit)).to("a");',
      'const limit = 2;\nphone.filter(pl.col("x").gt(limit)).to("b");',
    ],
    found: ["DEFINED_TWICE cell 3, line 1"],
  },
  {
    name: "one name defined twice, one meaning needed",
    cells: [HEAD, "const limit = 1;", 'const limit = 2;\nphone.filter(pl.col("x").gt(limit)).to("b");'],
    found: [],
  },
  {
    name: "the same import twice",
    cells: [
      HEAD,
      'import { pl } from "millrace";\nphone.select(pl.col("x")).to("a");',
      'phone.select(pl.col("y")).to("b");',
    ],
    found: [],
  },
  {
    name: "reassigned by another cell",
    cells: [HEAD, "let limit = 1;", "limit = 2;", 'phone.filter(pl.col("x").gt(limit)).to("out");'],
    found: ["MUTATED_ACROSS_CELLS cell 3, line 1"],
  },
  {
    name: "changed in place by another cell, also through a function",
    cells: [
      HEAD,
      "const names: string[] = [];\nfunction grow(list: string[]) { list.push('x'); }",
      "names.push('a');\ngrow(names);\nnames[0] = 'b';\ndelete names[0];",
      'for (const name of names) phone.select(pl.col(name)).to("out");',
    ],
    found: [1, 2, 3, 4].map((line) => `MUTATED_ACROSS_CELLS cell 3, line ${line}`),
  },
  ...(
    [
      ["another name", "const settings = { limit: 1 };\nconst alias = settings;", "alias.limit = 2;"],
      [
        "a part with a name",
        "const settings = { in: { limit: 1 } };\nconst { in: part } = settings;",
        "part.limit = 2;",
      ],
      ["what holds it", "const settings = { limit: 1 };\nconst all = [settings];", "all[0].limit = 2;"],
      ["a shallow copy", "const settings = [{ limit: 1 }];\nconst copy = [...settings];", "copy[0].limit = 2;"],
      ["a function's result", "const settings = { limit: 1 };\nconst get = () => settings;", "get().limit = 2;"],
      ["a loop", "const settings = [{ limit: 1 }];", "for (const one of settings) one.limit = 2;"],
      ["a callback", "const settings = [{ limit: 1 }];", "settings.forEach((one) => { one.limit = 2; });"],
      ["a search", "const settings = [{ limit: 1 }];", "settings.find((one) => one.limit)!.limit = 2;"],
      ["destructuring", "let settings = { limit: 1 }, other = { limit: 2 };", "[settings, other] = [other, settings];"],
    ] as const
  ).map(([name, declared, change]) => ({
    name: `changed by another cell through ${name}`,
    cells: [HEAD, declared, change, 'phone.filter(pl.col("x").gt(JSON.stringify(settings).length)).to("out");'],
    found: ["MUTATED_ACROSS_CELLS cell 3, line 1"],
  })),
  {
    name: "what is made of a class changes nothing of the class",
    cells: [
      HEAD,
      "const maker: { new (x: number): { n: number }; count: number } = URL as any;",
      "const made = new maker(1);",
      'phone.filter(pl.col("x").gt(maker.count)).to("out");',
    ],
    found: [],
  },
  {
    name: "a container that grows changes nothing it holds, a copy nothing of its original",
    cells: [
      HEAD,
      "const one = { limit: 1 };\nconst limits = [1, 2];",
      "const all = [one];\nall.push({ limit: 2 });\nconst copy = [...limits];\ncopy.push(3);\nlimits.toSorted().push(4);\nstructuredClone(one).limit = 5;",
      'phone.filter(pl.col("x").gt(one.limit + limits[0] + all.length + copy.length)).to("out");',
    ],
    found: [],
  },
  {
    name: "frames, expressions, constants, frozen and readonly data do not change",
    cells: [
      HEAD,
      'const x = pl.col("x");\nconst frozen = Object.freeze({ n: 1 });\nconst fixed = { a: [1] } as const;\nconst words: readonly string[] = ["x"];\nconst text = "x";\nconst list = [1];\nconst scale = (values: number[]) => values.map((v) => v * 2);',
      "x.abs().alias('y');\nphone.filter(x.gt(1));\nconsole.log(list, text.toUpperCase());\nlist.map((n) => n + 1);\nwords.includes('x');\nJSON.stringify(frozen);\nscale(list);\nMath.max(...list);",
      'phone.filter(x.gt(frozen.n).and(x.gt(fixed.a[0])).and(x.gt(list[0])).and(x.gt(scale(list)[0])).and(pl.col(words[0]).gt(text.length))).to("out");',
    ],
    found: [],
  },
  {
    name: "a type error in a kept statement, none in a dropped one",
    cells: [
      HEAD,
      "const wrong: number = 'text';",
      'const limit: number = "two";\nphone.filter(pl.col("x").gt(limit)).to("out");',
    ],
    found: ["TYPE_ERROR cell 3, line 1"],
  },
  {
    name: "a syntax error in a kept cell",
    cells: [HEAD, 'phone.to("out");\nconst = 3;'],
    found: ["TYPE_ERROR cell 2, line 2"],
  },
  {
    name: "an import that cannot be found",
    cells: [
      HEAD,
      'import { limit } from "no-such-package";\nimport { low } from "./missing.ts";\nphone.filter(pl.col("x").gt(limit + low)).to("out");',
    ],
    found: ["UNRESOLVED_IMPORT cell 2, line 1", "UNRESOLVED_IMPORT cell 2, line 2"],
  },
  {
    name: "syntax that is more than types",
    cells: [
      HEAD,
      'enum Level { low = "x".length }\nclass Scale { constructor(public by: number) {} }\nphone.filter(pl.col("x").gt(Level.low * new Scale(1).by)).to("out");',
    ],
    found: ["NOT_ERASABLE cell 2, line 1", "NOT_ERASABLE cell 2, line 2"],
  },
  {
    name: "collected data that a sink depends on",
    cells: [HEAD, "const sample = await phone.collect();", 'phone.filter(pl.col("x").gt(sample.height)).to("out");'],
    found: ["COLLECTED_IN_SLICE cell 2, line 1"],
  },
  {
    name: "an answer of sql that a sink depends on",
    cells: [
      HEAD,
      'import { sql } from "millrace";\nconst most = await sql`SELECT 1 AS n`;\nconst other = await sql.of("jobs/a")`SELECT 1`;',
      'phone.filter(pl.col("x").gt(most.height + other.height)).to("out");',
    ],
    found: ["COLLECTED_IN_SLICE cell 2, line 2", "COLLECTED_IN_SLICE cell 2, line 3"],
  },
  {
    name: "files in a folder of this machine",
    cells: [HEAD, 'phone.to("out");\nawait phone.toParquet("a").run();', 'phone.toParquet("/home/ann/b");'],
    found: ["ABSOLUTE_PATH cell 3, line 1"],
  },
  {
    name: "the report of a sink's run that another sink depends on",
    cells: [HEAD, 'const report = await phone.to("a").run();', 'phone.filter(pl.col("x").gt(report.rowsOut)).to("b");'],
    found: ["COLLECTED_IN_SLICE cell 2, line 1"],
  },
  {
    name: "a display in a kept function",
    cells: [HEAD, 'function limit() { display("x"); return 1; }\nphone.filter(pl.col("x").gt(limit())).to("out");'],
    found: ["DISPLAY_IN_SLICE cell 2, line 1"],
  },
  {
    name: "a path of this machine",
    cells: [HEAD, 'const file = "/home/ann/limits.json";\nphone.filter(pl.col("x").gt(file.length)).to("out");'],
    found: ["ABSOLUTE_PATH cell 2, line 1"],
  },
  {
    name: "a secret",
    cells: [
      HEAD,
      'const apiKey = "abc";\nconst options = { url: "https://ann:pw@example.org/" };\nphone.filter(pl.col(apiKey).gt(options.url.length)).to("out");',
    ],
    found: ["SECRET_LITERAL cell 2, line 1", "SECRET_LITERAL cell 2, line 2"],
  },
  {
    name: "a secret as a fallback, as a parameter's default and in a header; not the name of a column",
    cells: [
      HEAD,
      'const password = process.env.PASSWORD ?? "geheim";\nconst token = param("apiToken", "abc");\nconst headers = { Authorization: "Bearer abcdefghijklmnop" };',
      'phone.filter(pl.col("password").gt(password.length + token.length + headers.Authorization.length)).to("out");',
    ],
    found: [1, 2, 3].map((line) => `SECRET_LITERAL cell 2, line ${line}`),
  },
  {
    name: "a parameter without a literal default",
    cells: [
      HEAD,
      { tags: ["parameters"], source: 'const limits = [1, 2];\nphone.filter(pl.col("x").gt(limits[0])).to("out");' },
    ],
    found: ["BAD_PARAMETER cell 2, line 1"],
  },
  {
    name: "what may be a sink, but has no type",
    cells: [HEAD, 'const frame: any = phone;\nframe.to("a");', SINK],
    found: ["TYPE_ERROR cell 2, line 2"],
  },
];

for (const { name, cells, found } of refusals) {
  test(name, () => {
    const { problems } = analyse(notebookOf(cells));
    const places = problems.map(({ code, cell, line }) =>
      cell === undefined ? code : `${code} cell ${cell}, line ${line}`,
    );
    assert.deepEqual(places, found, problems.map(({ what }) => what).join("\n"));
  });
}

test("a package linked from a folder, and a local module with an import that is not there, are named", async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, "elsewhere"));
  await mkdir(path.join(folder, "book/node_modules"), { recursive: true });
  await writeFile(
    path.join(folder, "elsewhere/package.json"),
    '{"name":"linked","version":"1.0.0","main":"i.js","types":"i.d.ts"}',
  );
  await writeFile(path.join(folder, "elsewhere/i.js"), "exports.limit = 1;");
  await writeFile(path.join(folder, "elsewhere/i.d.ts"), "export const limit: number;");
  await symlink(path.join(folder, "elsewhere"), path.join(folder, "book/node_modules/linked"));
  await writeFile(path.join(folder, "book/low.ts"), 'import { x } from "./high";\nexport const low: number = x;');
  await writeFile(path.join(folder, "book/high.ts"), "export const x = 1;");
  const cells = [
    HEAD,
    'import { limit } from "linked";\nimport { low } from "./low.ts";\nphone.filter(pl.col("x").gt(limit + low)).to("out");',
  ];
  const { problems } = analyse(notebookOf(cells, path.join(folder, "book")));
  assert.deepEqual(
    problems.map(({ code, line }) => `${code} ${line}`),
    ["UNPINNED_PACKAGE 1", "UNRESOLVED_IMPORT 2"],
  );
  assert.match(problems[1]!.remedies[0]!, /write \.\/high\.ts/);
});

test("a secret and a machine's path in a local module are named by its file and line", async () => {
  const folder = await temporaryFolder();
  await writeFile(
    path.join(folder, "low.ts"),
    'export const low = 1;\nconst secret = "geheim";\nconst file = "/home/ann/limits.json";\n',
  );
  const cells = [HEAD, 'import { low } from "./low.ts";\nphone.filter(pl.col("x").gt(low)).to("out");'];
  const { problems } = analyse(notebookOf(cells, folder));
  assert.deepEqual(
    problems.map(({ code, cell, line, what }) => `${code} cell ${cell}, line ${line}: ${what.split(": ")[0]}`),
    ["SECRET_LITERAL cell 2, line 1: low.ts:2", "ABSOLUTE_PATH cell 2, line 1: low.ts:3"],
  );
  assert.ok(problems.every(({ what }) => !what.includes("geheim")));
});

test("every refusal of a place names a cell, a line and a remedy", () => {
  for (const { name, cells } of refusals)
    for (const problem of analyse(notebookOf(cells)).problems) {
      assert.ok(problem.remedies.length > 0 && problem.remedies.every((text) => text.length > 5), name);
      if (problem.code !== "NO_SINK")
        assert.ok(problem.cell! > 0 && problem.line! > 0 && problem.source !== undefined, name);
    }
});

test("a refusal says what, where, which line, and what to do; a secret is not repeated", () => {
  const { problems } = analyse(
    notebookOf([
      HEAD,
      'const limit = 2;\nconst password = "geheim";\nphone.filter(pl.col(password).gt(limit)).to("out");',
    ]),
  );
  const refusal = new PromotionRefusal(problems, "test.ipynb");
  assert.equal(refusal.code, "SECRET_LITERAL");
  assert.match(
    refusal.message,
    /where: cell 2 \(c2\), line 2\n\s+2 \| const password = "…";\n\s+what to do: read it from the environment/,
  );
  assert.doesNotMatch(refusal.message, /geheim/);
});

test("--allow lets a rule pass by its code, and refuses codes it does not know", () => {
  const { problems } = analyse(notebookOf([HEAD, 'phone.to("/home/ann/topic");']));
  assert.deepEqual(judge(problems, ["ABSOLUTE_PATH"]).refused, []);
  assert.equal(judge(problems, ["ABSOLUTE_PATH"]).allowed.length, 1);
  assert.throws(() => judge(problems, ["NO_SUCH_RULE"]), { code: "UNKNOWN_ALLOW" });
  assert.throws(() => judge(problems, ["NO_SINK"]), { code: "UNKNOWN_ALLOW" });
});
