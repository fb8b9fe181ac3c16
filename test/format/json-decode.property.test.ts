import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { jsonFormat } from "../../lib/format/index.ts";
import { recordColumns } from "../support/records.ts";
import { expectedRow, rowsOf, sameCell, unknownFields } from "./json-oracle.ts";

const COLUMNS = {
  a: "Float64",
  i: "Int64",
  s: "Utf8",
  b: "Boolean",
  l: "List(Float64)",
  o: "Struct{p:Int64}",
} as const;

const NUMBERS = [
  "0", "-0", "1", "-1", "1.0", "1.5", "1e3", "1E-3", "-0.0", "1e400", "-1e400", "9007199254740993", "9223372036854775807",
  "9223372036854775808", "-9223372036854775808", "18446744073709551616", "123456789012345678901234567890", "0.1", "5e-324",
  "1.7976931348623157e308", "0.1000000000000000055511151231257827", "01", "+1", ".5", "1.", "NaN", "Infinity", "-",
]; // biome-ignore format: a table
const STRINGS = [
  '""', '"x"', '"a\\"b"', '"\\u00e9é"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\udc00x"', '"\\\\ud83d"', '"\\u0000"', '"\\n"', '"{"',
  '"[1]"', '":"', '"\\":n"', '": null"', '"a : b"', '"\\x"', "'x'",
]; // biome-ignore format: a table

const pick = (texts: readonly string[]) => fc.constantFrom(...texts);
const scalar = fc.oneof(
  { weight: 3, arbitrary: pick(NUMBERS) },
  { weight: 2, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => JSON.stringify(x)) },
  { weight: 2, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
  { weight: 3, arbitrary: pick(STRINGS) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)) },
  { weight: 2, arbitrary: pick(["null", "true", "false", "nul", "True"]) },
);
const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }).map((items) => `[${items.join(",")}]`) },
  { weight: 1, arbitrary: fc.tuple(pick(["p", "q"]), scalar).map(([name, text]) => `{"${name}":${text}}`) },
);
const fitting: Record<string, fc.Arbitrary<string>> = {
  a: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => JSON.stringify(x)),
  i: fc.integer().map(String),
  s: fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
  b: fc.boolean().map(String),
  l: fc.array(fc.integer().map(String), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
  o: fc.integer().map((p) => `{"p":${p}}`),
};
const fieldName = pick(["a", "i", "s", "b", "l", "o", "zz", "", "__proto__", "\\u0061", "toString"]);
const field = fc.oneof(
  {
    weight: 8,
    arbitrary: pick(Object.keys(fitting)).chain((name) => fitting[name]!.map((text) => [name, text] as const)),
  },
  { weight: 1, arbitrary: fc.tuple(fieldName, value) },
);
const space = fc.oneof(
  { weight: 9, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: pick([" ", "\t", "\r", "  "]) },
);
const object = fc
  .tuple(fc.array(field, { maxLength: 6 }), space)
  .map(
    ([fields, gap]) => `{${fields.map(([name, text]) => `${gap}"${name}"${gap}:${gap}${text}`).join(`,${gap}`)}}${gap}`,
  );
const record: fc.Arbitrary<Buffer | null> = fc.oneof(
  { weight: 20, arbitrary: object.map((text) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: pick([
      "",
      " ",
      "[1]",
      "5",
      "null",
      '"x"',
      "{",
      "}",
      "{}{}",
      "{} {}",
      "\ufeff{}",
      '{"a":1,}',
      "\u000b{}",
    ]).map((text) => Buffer.from(text)),
  },
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 2,
    arbitrary: fc.tuple(object, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([text, at, byte]) => {
      const bytes = Buffer.from(text);
      // a newline cannot stay in a value: the record-batch codec makes a space of it
      bytes[at % bytes.length] = byte === 0x0a ? 0x20 : byte;
      return bytes;
    }),
  },
);

const asText = (frame: pl.DataFrame) =>
  frame.withColumns(pl.col("i").cast(pl.Utf8), pl.col("o").cast(pl.Struct({ p: pl.Utf8 })));

test("decoding says of every record what JSON.parse says: its exact row, or that it is bad", () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 150 }), fc.boolean(), (values, flat) => {
      const columns: Record<string, string> = flat ? { a: "Float64", i: "Int64", s: "Utf8", b: "Boolean" } : COLUMNS;
      const decoded = jsonFormat.decode(recordColumns(values), columns);
      const expected = values.map((each) =>
        each === null || each.length === 0 ? undefined : expectedRow(each, columns),
      );
      const good = expected.flatMap((row, i) => (row === undefined ? [] : [i]));
      assert.deepEqual([...(decoded.good ?? values.keys())], good, "good records");
      assert.deepEqual(
        decoded.bad.map(({ index }) => index),
        [...values.keys()].filter((i) => expected[i] === undefined),
      );
      assert.ok(decoded.bad.every(({ reason }) => reason.length > 0));
      assert.equal(decoded.rows, good.length);
      const exact = flat ? decoded.frame.withColumns(pl.col("i").cast(pl.Utf8)) : asText(decoded.frame);
      for (const [row, cells] of rowsOf(decoded.frame, columns, exact).entries()) {
        for (const name of Object.keys(columns)) {
          const want = expected[good[row]!]![name];
          assert.ok(sameCell(cells![name], want), `record ${values[good[row]!]}: ${name} is ${String(cells![name])}`);
        }
      }
      assert.equal(
        decoded.unknownFields,
        good.reduce((sum, i) => sum + unknownFields(values[i]!, columns), 0),
        "unknown fields",
      );
    }),
    { seed, numRuns: Number(process.env.RUNS ?? 100) },
  );
});
