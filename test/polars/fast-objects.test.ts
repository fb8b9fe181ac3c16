import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { symbolsLast } from "../../lib/polars/fast-objects.ts";

const lib = path.resolve(import.meta.dirname, "../../lib");

const PROGRAM = `
  const { pl } = await import("file://${lib}/index.ts");
  const members = (value) => Reflect.ownKeys(value).map(String);
  const frame = pl.DataFrame({ a: [1, 2, 3] });
  const { _Expr } = process.getBuiltinModule("node:module").createRequire("${lib}/index.ts")("nodejs-polars/bin/lazy/expr");
  const source = _Expr.toString();
  console.log(JSON.stringify({
    symbolsBehind: source.lastIndexOf("[Symbol.toStringTag]") > source.lastIndexOf(" abs() {"),
    rows: frame.filter(pl.col("a").gt(1)).rows(),
    expr: members(pl.col("a")), series: members(pl.Series("a", [1])), frame: members(frame),
  }));`;

test("symbol-named members move behind the others, and nothing else changes", () => {
  const source = `    return {
        _expr,
        [Symbol.toStringTag]() {
            return "Expr";
        },
        abs() {
            return wrap("abs");
        }
    };
`;
  assert.equal(
    symbolsLast(source),
    `    return {
        _expr,
        abs() {
            return wrap("abs");
        },
        [Symbol.toStringTag]() {
            return "Expr";
        },
    };
`,
  );
  const other = "    return {\n        abs() {},\n    };\n";
  assert.equal(symbolsLast(other), other);
});

test("importing millrace is enough: the objects are built the cheap way, with every member they had", () => {
  const run = (program: string) =>
    JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }));
  const fast = run(PROGRAM);
  const published = run(PROGRAM.replace(`file://${lib}/index.ts`, `file://${lib}/api.ts`));
  assert.deepEqual(fast.rows, [[2], [3]]);
  assert.equal(fast.symbolsBehind, true);
  assert.equal(published.symbolsBehind, false);
  for (const kind of ["expr", "series", "frame"])
    assert.deepEqual(fast[kind].toSorted(), published[kind].toSorted(), kind);
});
