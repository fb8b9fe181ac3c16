import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { readTexts, TextCollector } from "../../lib/operators/text-column.ts";

const separated = "a\u001fb";

/** Texts that repeat, that do not, and that hold what separates them; few and many. */
const COLUMNS: Readonly<Record<string, readonly (string | null)[]>> = {
  none: [],
  one: ["x"],
  "few, all different": Array.from({ length: 300 }, (_, i) => `text ${i}`),
  "many, all different": Array.from({ length: 3000 }, (_, i) => `text ${i}`),
  "many of few": Array.from({ length: 3000 }, (_, i) => ["a", "", "null", "🚗", separated][i % 5]!),
  "with nulls": Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? null : `t${i % 7}`)),
  "first few, then different": Array.from({ length: 5000 }, (_, i) => (i < 2000 ? "same" : separated + i)),
};

for (const [name, texts] of Object.entries(COLUMNS)) {
  test(`texts are read as they are: ${name}`, () => {
    const frame = polars.DataFrame([polars.Series("s", texts as string[], polars.Utf8)]);
    const read = readTexts(frame, "s");
    assert.deepEqual(
      texts.map((_, row) => read(row)),
      texts.map((text) => text ?? ""),
    );
  });

  test(`texts are written as they are, also after some were taken back: ${name}`, () => {
    const collector = new TextCollector();
    for (let round = 0; round < 2; round++) {
      for (const text of texts) {
        collector.push(text);
      }
      collector.push("taken back");
      collector.truncate(texts.length);
      const series = collector.finish("s");
      assert.equal(series.name, "s");
      assert.deepEqual([...series.toArray()], texts);
    }
  });
}
