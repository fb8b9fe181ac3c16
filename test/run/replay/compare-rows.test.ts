import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRows } from "../../../lib/run/replay/compare-rows.ts";

const rows = (text: string) => [...text].map((value) => ({ key: "k", value: { value } }));
const changes: readonly { name: string; notebook: string; job: string; found: readonly string[] }[] = [
  { name: "nothing", notebook: "abc", job: "abc", found: [] },
  { name: "a row changed", notebook: "abcd", job: "aXcd", found: ["1 b X"] },
  { name: "two rows changed, beside each other", notebook: "abcd", job: "aXYd", found: ["1 b X", "2 c Y"] },
  { name: "a row missing", notebook: "abcd", job: "acd", found: ["1 b -"] },
  { name: "a row too many", notebook: "abcd", job: "Xabcd", found: ["0 - X"] },
  { name: "one missing, one too many", notebook: "abcdef", job: "acdeXf", found: ["1 b -", "4 - X"] },
  { name: "the last ones missing", notebook: "abcd", job: "ab", found: ["2 c -", "3 d -"] },
  { name: "two in the other order", notebook: "abcd", job: "acbd", found: ["1 - c", "2 c -"] },
  { name: "everything", notebook: "ab", job: "xyz", found: ["0 a x", "1 b y", "2 - z"] },
  { name: "all rows gone", notebook: "ab", job: "", found: ["0 a -", "1 b -"] },
];
for (const { name, notebook, job, found } of changes)
  test(`rows that differ are told apart from those behind them: ${name}`, () => {
    const text = (row: unknown) => (row as { value: string } | undefined)?.value ?? "-";
    const differences = compareRows(rows(notebook), rows(job));
    assert.deepEqual(
      differences.map(({ position, expected, actual }) => `${position} ${text(expected)} ${text(actual)}`),
      found,
    );
  });

test("rows are compared within their key; the last digits of numbers do not count", () => {
  const row = (key: string, value: unknown) => ({ key, value });
  const left = [row("a", { x: 0.1 + 0.2 }), row("b", { x: 1 }), row("a", { x: 2 })];
  assert.deepEqual(compareRows(left, [row("b", { x: 1 }), row("a", { x: 0.3 }), row("a", { x: 2 })]), []);
  const [difference] = compareRows(left, [row("b", { x: 1.000001 }), row("a", { x: 0.3 }), row("a", { x: 2 })]);
  assert.deepEqual([difference?.key, difference?.position], ["b", 0]);
});
