import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { analyse } from "../../kernel/promote/analyse.ts";
import { explain } from "../../kernel/promote/explain.ts";
import { sha256 } from "../../kernel/promote/notebook.ts";
import { judge, PromotionRefusal } from "../../kernel/promote/problem.ts";
import { notebookOf, notebookText, type TestCell, temporaryFolder } from "./notebooks.ts";
import { millraceAgain } from "./run-command.ts";

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
    name: "a cell defines what it uses, whatever others call so",
    cells: [
      HEAD,
      "const limit = 1;",
      'const limit = 2;\nphone.filter(pl.col("x").gt(limit)).to("b");',
      "const limit = 3;",
    ],
    found: [],
  },
  ...(
    [
      ["as a constant", "const limit = 1;", "const limit = 2;", "limit"],
      ["by destructuring", "const limit = 1;", "const { most: limit } = { most: 2 };", "limit"],
      ["as a function", "const limit = () => 1;", "function limit() { return 2; }", "limit()"],
      [
        "as an import and a function",
        'import { join } from "node:path";',
        "const join = (x: string) => x;",
        'join("x").length',
      ],
      [
        "once after a function that uses it",
        "const limit = 1;\nconst twice = () => limit * 2;",
        "const limit = 2;",
        "twice()",
      ],
    ] as const
  ).map(([name, one, other, use]) => ({
    name: `one name defined twice above its use, ${name}`,
    cells: [HEAD, one, other, `phone.filter(pl.col("x").gt(${use})).to("out");`],
    found: ["DEFINED_TWICE cell 3, line 1"],
  })),
  {
    name: "a name defined again below its use, by a cell that had run before it, and by one that had not",
    cells: [
      { source: HEAD, count: 1 },
      { source: "const limit = 1, most = 5;", count: 2 },
      { source: 'phone.filter(pl.col("x").gt(limit + most)).to("out");', count: 4 },
      { source: "\nconst limit = 2;", count: 3 },
      { source: "const most = 2;", count: 5 },
    ],
    found: ["DEFINED_TWICE cell 4, line 2"],
  },
  {
    name: "what papermill injected is no second definition",
    cells: [
      HEAD,
      { tags: ["parameters"], source: "const limit = 1;" },
      { tags: ["injected-parameters"], source: "const limit = 7;" },
      'phone.filter(pl.col("x").gt(limit)).to("out");',
    ],
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
      [
        "a method of another's",
        "const settings = [{ limit: 1 }];",
        "Array.prototype.push.apply(settings, [{ limit: 2 }]);",
      ],
      ["a map", "const settings = new Map([[1, { limit: 1 }]]);", "for (const [, one] of settings) one.limit = 2;"],
      ["a setter", "const settings = { n: 1, set limit(n: number) { this.n = n; } };", "settings.limit = 2;"],
      ["a class", "class Settings { static limit = 1; }\nconst settings = Settings;", "Settings.limit++;"],
      ["Object.assign", "const settings = { limit: 1 };", "Object.assign(settings, { limit: 2 });"],
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
    name: "collected data that reaches the sink through functions, classes, callbacks and names",
    cells: [
      HEAD,
      "async function peek() { return await phone.collect(); }\nclass Peek { rows = phone.live().df; }\nlet n = 0;\nawait phone.collect().then((df) => { n = df.height; });\nfor await (const df of phone.batches()) n += df.height;\nconst { collect } = phone;\nconst hidden: any = phone;\nconst last = await hidden.collect();",
      'phone.map((row: any) => ({ n: n + last.height + row.x }), { schema: { n: "Int64" } })\n  .filter(pl.col("n").gt((await peek()).height + (await collect.call(phone)).height + new Peek().rows.height)).to("out");',
    ],
    found: [1, 2, 4, 5, 6, 8].map((line) => `COLLECTED_IN_SLICE cell 2, line ${line}`),
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
    name: "a secret however it is written",
    cells: [
      HEAD,
      [
        'const host = "db", url = `$' + "{host}://ann:geheim@$" + "{host}/x`;",
        "const password = `$" + "{host}geheim`;",
        'const token = host + "geheim";',
        'const sasl = { login: { "client-secret": `geheim` } };',
        'function connect(pwd = "geheim", { apiKey = "geheim" } = {}) { return pwd + apiKey; }',
        'const key = param("key", "geheim"), secretKey = param("other", "geheim");',
        "const headers = new Headers();",
        'headers.set("password", "geheim");',
        'class Desk { static accessKey = "geheim"; }',
        'process.env.DB_PASSWORD = "geheim";',
        'const jaas = "org.example.Login required username=ann password=geheim;", json = \'{"password": "geheim"}\';',
        'const passwords = ["geheim"];',
      ].join("\n"),
      'phone.filter(pl.col("x").gt(JSON.stringify([url, password, token, sasl, connect(), key, secretKey, [...headers], Desk.accessKey, process.env.DB_PASSWORD, jaas, json, passwords]).length)).to("out");',
    ],
    found: [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12].map((line) => `SECRET_LITERAL cell 2, line ${line}`),
  },
  {
    name: "no secrets: names of columns and topics, dtypes, what comes from the environment, what holds parts together",
    cells: [
      HEAD,
      [
        "const token = process.env.TOKEN ?? '', secretTopic = 'crash-alerts', tokens = ['a', 'b'];",
        "const password = `Bearer $" +
          "{token}`, apiKey = token + '-' + token, url = `postgres://$" +
          "{token}:$" +
          "{password}@db`;",
        'const other = topic("other", { schema: { token: "Utf8", password: "Utf8" } }).rename({ token: "word", x: "password" });',
      ].join("\n"),
      'other.filter(pl.col("word").str.contains(token + secretTopic + tokens + password + apiKey + url)).to("out", { key: "token" });',
    ],
    found: [],
  },
  {
    name: "a path of this machine however it is written; a route and a separator are none",
    cells: [
      HEAD,
      [
        'import path from "node:path";',
        'import { readFileSync } from "node:fs";',
        'const user = "ann", a = path.join("/home", user, "x.json");',
        'const b = path.resolve("/", "home", user);',
        'const c = new URL("file:///home/ann/x.json");',
        "const d = `/home/$" + "{user}/x.json`;",
        'const e = "/Users/" + user;',
        'const f = readFileSync("/elsewhere/x.json", "utf8");',
        'const g = "C:\\\\data\\\\x.json";',
        'const h = new URL("/readings/x", "http://host"), i = ["a", "b"].join("/");',
      ].join("\n"),
      'phone.filter(pl.col("x").gt([a, b, c, d, e, f, g, h, i].join("/").length)).to("out");',
    ],
    found: [3, 4, 5, 6, 7, 8, 9].map((line) => `ABSOLUTE_PATH cell 2, line ${line}`),
  },
  {
    name: "a package under a path of its own, and imports that are asked for as the cell runs",
    cells: [
      HEAD,
      'import { limit } from "no-such-package/sub/path";\nconst { low } = await import("no-such-package");\nconst { top } = await import("./missing.ts");\nphone.filter(pl.col("x").gt(limit + low + top)).to("out");',
    ],
    found: [1, 2, 3].map((line) => `UNRESOLVED_IMPORT cell 2, line ${line}`),
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

test("each rule is refused with its place and overruled by --allow, and promotion.json tells which were", async () => {
  const folder = await temporaryFolder();
  const [file, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
  await mkdir(path.join(folder, "elsewhere"));
  await mkdir(path.join(folder, "node_modules"));
  await writeFile(path.join(folder, "elsewhere/package.json"), '{"name":"linked","version":"1.0.0","main":"i.js"}');
  await writeFile(path.join(folder, "elsewhere/i.js"), "exports.limit = 1;");
  await symlink(path.join(folder, "elsewhere"), path.join(folder, "node_modules/linked"));
  const head = 'import { pl, topic } from "millrace";\nconst phone = topic("phones", { schema: { x: "Float64" } });';
  const later = "const file = '/home/ann/x', password = 'geheim';";
  const functions =
    'const look = () => { display(1); };\nconst gone = () => nobody;\nconst load = () => import("no-such-package");\nconst peek = () => phone.collect();';
  const kinds =
    'let most = 1;\nconst limit = 1;\nconst wrong: number = "text";\nconst linked = (await import("linked")).limit;';
  const sink =
    'const sink = phone.filter(pl.col("x").gt([file, password, look, gone, load, peek, most, limit, wrong, linked].length)).to("out");';
  await writeFile(
    file,
    notebookText([
      { source: head, count: 1, metadata: journal(head, 1) },
      { source: later, count: 4, metadata: journal(later, 4) },
      { source: functions, count: 3, metadata: journal(functions, 3, false) },
      { source: kinds, count: 5, metadata: journal(`${kinds}\n`, 5) },
      "most += 1;",
      { source: "var limit = 3;", count: 6 },
      { source: sink, count: 7, metadata: journal(sink, 7) },
    ]),
  );
  const codes = [
    ...["ABSOLUTE_PATH", "COLLECTED_IN_SLICE", "DEFINED_TWICE", "DISPLAY_IN_SLICE", "EDITED_SINCE_RUN"],
    ...["FAILED_WHEN_RUN", "MUTATED_ACROSS_CELLS", "NOT_RUN", "OUT_OF_ORDER", "SECRET_LITERAL", "TYPE_ERROR"],
    ...["UNDECLARED_NAME", "UNPINNED_PACKAGE", "UNRESOLVED_IMPORT"],
  ];
  const env = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
  const refused = await millraceAgain(["promote", file, "--out", job], { env });
  assert.equal(refused.code, 2, refused.stderr);
  const told = refused.stderr.matchAll(/^([A-Z_]+): .*\n(?: .*\n)*? {2}where: cell \d+ \(c\d+\), line \d+\n/gm);
  assert.deepEqual([...new Set([...told].map(([, code]) => code!))].sort(), codes, refused.stderr);
  const allow = codes.flatMap((code) => ["--allow", code]);
  const made = await millraceAgain(["promote", file, "--out", job, ...allow], { env });
  assert.equal(made.code, 0, made.stderr);
  const { allowed } = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
  assert.deepEqual([...new Set(allowed.map(({ code }: any) => code))].sort(), codes);
  for (const { code, cell, line } of allowed) {
    assert.ok(cell > 0 && line > 0, code);
    assert.ok(made.stdout.includes(`Allowed ${code} (cell ${cell}, line ${line})`), made.stdout);
  }
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

test("a local module that reads a topic, when it is imported or in a function the job calls", async () => {
  const folder = await temporaryFolder();
  const rows =
    'import { topic } from "millrace";\nexport const peek = async () => (await topic("a").collect()).height;\n';
  await writeFile(path.join(folder, "peek.ts"), `${rows}export const one = 1;\n`);
  await writeFile(
    path.join(folder, "rows.ts"),
    'import { peek } from "./peek.ts";\nexport const height = await peek();\n',
  );
  const cells = [
    HEAD,
    'import { one, peek } from "./peek.ts";\nphone.filter(pl.col("x").gt(one)).to("a");',
    'import { height } from "./rows.ts";\nphone.filter(pl.col("x").gt(height)).to("b");\nconst most = await peek();\nphone.filter(pl.col("x").gt(most)).to("c");',
  ];
  const { problems } = analyse(notebookOf(cells, folder));
  assert.deepEqual(
    problems.map(({ code, cell, line }) => `${code} cell ${cell}, line ${line}`),
    ["COLLECTED_IN_SLICE cell 3, line 1", "COLLECTED_IN_SLICE cell 3, line 3"],
  );
});

test("a secret is in no message of another rule and in no explanation, of dropped statements either", () => {
  const analysis = analyse(
    notebookOf([
      HEAD,
      'const password = "geheim";\nconst file = { at: "/home/ann/x", secret: `geheim\nis $' +
        '{1} geheimer` };\nphone.filter(pl.col("x").gt(file.at.length)).to("out");',
    ]),
  );
  const { problems, statements } = explain(analysis);
  assert.deepEqual(
    problems.map(({ code, line }) => `${code} ${line}`),
    ["ABSOLUTE_PATH 2", "SECRET_LITERAL 2"],
  );
  assert.doesNotMatch(JSON.stringify([problems, statements]), /geheim/);
  assert.match(JSON.stringify(statements), /const password = \\"…\\"/);
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
