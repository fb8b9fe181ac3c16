import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { readTexts, TextCollector } from "../../lib/polars/text-column.ts";
import { newSeed, seeded } from "../support/seeded.ts";

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

test("a collector that goes from batch to batch gives each as it is: keys that come back, new ones, more than it keeps, none that repeat", () => {
  const collector = new TextCollector();
  const keys = (from: number, count: number, rows: number) =>
    Array.from({ length: rows }, (_, i) => (i % count === 0 ? null : `key ${from + (i % count)}`));
  const batches = [
    keys(0, 1000, 20_000),
    keys(500, 1000, 20_000),
    keys(0, 3, 10),
    keys(0, 40_000, 40_000),
    keys(40_000, 40_000, 90_000),
    keys(0, 1000, 20_000),
    Array.from({ length: 12_000 }, (_, i) => `only here ${i} ${"x".repeat(400)}`),
    keys(0, 1000, 20_000),
    keys(0, 8, 600),
  ];
  for (const [i, batch] of batches.entries()) {
    for (const text of batch) collector.push(text);
    const series = collector.finish("s");
    assert.deepEqual([...series.toArray()], batch, `batch ${i}`);
  }
});

const PIECES = [
  "a",
  "é",
  "🚗",
  "twelve bytes",
  "thirteen byte",
  "\0",
  separated,
  "the same beginning, then ",
  "x".repeat(70),
];

test("random texts are read as they are: few or many different, short and long, in slices, filtered, and of several chunks", () => {
  const seed = newSeed();
  const random = seeded(seed);
  const pick = (count: number) => Math.floor(random() * count);
  for (let round = 0; round < 25; round++) {
    const different = 1 + pick([3, 500, 5000, 50_000][pick(4)]!);
    const pieces = pick(4);
    const text = () => {
      const number = pick(different);
      const long = Array.from({ length: pieces }, (_, i) => PIECES[(number * 31 + i * 7) % PIECES.length]).join("");
      return `${long}${number}`;
    };
    const nulls = random() < 0.3 ? 0.2 : 0;
    const rows = 512 + pick(9000);
    const texts = Array.from({ length: rows }, () => (random() < nulls ? null : text()));
    // rows that become more alike, or less
    if (random() < 0.3) texts.fill("one", 0, pick(rows));
    const whole = polars.DataFrame([polars.Series("s", texts as string[], polars.Utf8)]);
    const from = pick(rows);
    const cases: readonly (readonly [string, polars.DataFrame, readonly (string | null)[]])[] = [
      ["whole", whole, texts],
      ["slice", whole.slice(from, rows), texts.slice(from)],
      [
        "chunks",
        whole.vstack(whole.slice(0, from)) as unknown as polars.DataFrame,
        [...texts, ...texts.slice(0, from)],
      ],
      ["filtered", whole.filter(polars.col("s").isNotNull()), texts.filter((text) => text !== null)],
    ];
    for (const [name, frame, expected] of cases) {
      const read = readTexts(frame, "s");
      for (const [row, text] of expected.entries())
        if (read(row) !== (text ?? ""))
          assert.equal(read(row), text ?? "", `seed ${seed}, round ${round}, ${name}, row ${row}`);
    }
  }
});
