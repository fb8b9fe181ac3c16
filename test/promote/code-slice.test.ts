import assert from "node:assert/strict";
import { test } from "node:test";
import { analyse } from "../../kernel/promote/analyse.ts";
import { emitMain } from "../../kernel/promote/emit-main.ts";
import { notebookOf } from "./notebooks.ts";

test("the code of map, process and predict comes along with the variables and functions it closes over, and nothing else", () => {
  const cells = [
    'import { pl, topic } from "millrace";\nconst phone = topic("phone-data", { key: "device" });',
    "const limit = 2.5;\nconst unused = limit + 1;\nfunction total(row: any) { return Math.abs(row.x) * scale; }\nconst scale = 3;",
    'const mapped = phone.map((row) => ({ total: total(row), over: row.x > limit }), { schema: { total: "Float64", over: "Boolean" }, keep: ["device"] });\nmapped',
    "const weights = [1, 2];\nconst model = ({ total }: any) => total.map((value: number) => value * weights[0]!);",
    'mapped.predict(model, { features: "total", as: "score" }).process({ by: "device", state: { n: 0 }, schema: { n: "Int64" }, onRow: (_, ctx) => ctx.emit({ n: ++ctx.state.n }) }).to("out");',
  ];
  const { slice, needs, parameters } = analyse(notebookOf(cells));
  const text = emitMain(slice, { notebook: "test.ipynb", name: "test", schemas: {}, needs, parameters });
  for (const part of [
    "const limit = 2.5;",
    "const scale = 3;",
    "function total(",
    "const weights = [1, 2];",
    "const model = (",
    "phone.map(",
    ".process({",
  ])
    assert.ok(text.includes(part), `${part} is not in\n${text}`);
  assert.ok(!text.includes("unused"), text);
});
