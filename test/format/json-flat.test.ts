import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonFormat } from "../../lib/format/index.ts";
import { FlatReader } from "../../lib/format/json/flat-reader.ts";
import type { RecordColumns } from "../../lib/log/columns.ts";

const SCHEMA = {
  i: "Int64",
  f: "Float64",
  s: "Utf8",
  b: "Boolean",
  t: "Datetime(ms)",
  u: "Datetime(us)",
  z: "Datetime(s)",
};

function records(texts: readonly string[]): RecordColumns {
  const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""));
  const lengths = texts.map((text) => Buffer.byteLength(text) + 1);
  const starts = Uint32Array.from(lengths.map((_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0)));
  const values = { bytes, starts, ends: starts.map((start, i) => start + lengths[i]! - 1) };
  return { count: texts.length, keys: values, values, timestamps: new Float64Array(texts.length) };
}

const flat = (texts: readonly string[], used = Object.keys(SCHEMA)) =>
  FlatReader.of(SCHEMA, used)?.read(records(texts));
const rows = (decoded: { frame: { toRecords(): unknown } } | undefined) =>
  JSON.parse(JSON.stringify(decoded?.frame.toRecords() ?? null, (_, value) => (Object.is(value, -0) ? "-0" : value)));

test("numbers, texts, flags and instants are read from the bytes", () => {
  const line =
    '{"i":7,"f":-0.125,"s":"é, x","b":true,"t":"2026-01-02T03:04:05.678Z","u":1767225600000001,"z":1767225600,"more":1}';
  const read = flat([line]);
  assert.equal(read?.unknownFields, 1);
  assert.deepEqual(rows(read), [
    {
      i: 7,
      f: -0.125,
      s: "é, x",
      b: true,
      t: "2026-01-02T03:04:05.678Z",
      u: "2026-01-01T00:00:00.000Z",
      z: "2026-01-01T00:00:00.000Z",
    },
  ]);
});

test("texts that are empty, null or missing are told apart", () => {
  const texts = ["", null, "m", "p", "", "é"];
  const lines = texts.map((s) => JSON.stringify({ s }));
  assert.deepEqual(
    rows(flat([...lines, '{"i":1}'], ["s"])),
    [...texts, null].map((s) => ({ s })),
  );
});

for (const [why, line] of Object.entries({
  "a fraction in an Int64": '{"i":1.0}',
  "more than a double holds": '{"i":9007199254740993}',
  "a field twice": '{"i":1,"i":1}',
  "an escape": '{"s":"a\\n"}',
  "a nested value": '{"more":[1]}',
  "a leading zero": '{"f":01}',
  "a cut number": '{"f":1.}',
  "minus zero without a fraction": '{"f":-0}',
  "minus zero in an Int64": '{"i":-0.0}',
  "a number in a text": '{"s":1}',
  "text behind": '{"i":1} x',
  "no date": '{"t":"2026-02-30T00:00:00Z"}',
  "a zone": '{"t":"2026-02-03T00:00:00+01:00"}',
  "not closed": '{"i":1',
  "no object": "[]",
}))
  test(`left to the other way: ${why}`, () => assert.equal(flat([line], Object.keys(SCHEMA)), undefined));

test("whatever is read flat is what the other way reads", () => {
  const number = fc.oneof(
    fc.integer().map(String),
    fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
    fc
      .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 9 }))
      .map(([n, d]) => (n / 10 ** d).toString()),
    fc.maxSafeInteger().map(String),
    fc.constantFrom("1e3", "-2.5E-3", "0", "123456789012345678", "0.1234567890123456789", "1e-400", "-0.0"),
  );
  const text = fc.string({ unit: "grapheme", maxLength: 6 }).map((s) => JSON.stringify(s));
  const instant = fc
    .date({ min: new Date("1960-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
    .map((d) => JSON.stringify(d.toISOString()));
  const value = fc.oneof({ weight: 6, arbitrary: number }, text, instant, fc.constantFrom("true", "false", "null"));
  const fitting: Readonly<Record<string, fc.Arbitrary<string>>> = {
    i: fc.oneof(fc.maxSafeInteger().map(String), fc.constant("null")),
    f: fc.oneof(number, fc.constant("null")),
    s: fc.string({ unit: "grapheme", maxLength: 6 }).map((s) => JSON.stringify(s)),
    b: fc.constantFrom("true", "false", "null"),
    t: fc.oneof(instant, fc.integer({ min: 0, max: 2 ** 41 }).map(String)),
    u: fc.integer({ min: 0, max: 2 ** 50 }).map(String),
    z: fc.integer({ min: 0, max: 2 ** 31 }).map(String),
    more: value,
  };
  const field = fc
    .constantFrom(...Object.keys(fitting))
    .chain((name) => fc.tuple(fc.constant(name), fc.oneof({ weight: 60, arbitrary: fitting[name]! }, value)));
  const record = fc
    .uniqueArray(field, { selector: ([name]) => name, maxLength: 8 })
    .map((fields) => `{${fields.map(([name, text]) => `"${name}": ${text}`).join(", ")}}`);
  const seed = Date.now() % 1e9;
  let taken = 0;
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 4 }),
      fc.subarray(Object.keys(SCHEMA), { minLength: 1 }),
      (texts, used) => {
        const read = flat(texts, used);
        if (read === undefined) return;
        taken++;
        const { frame, bad, unknownFields } = jsonFormat.decode(records([...texts, "{}x"]), { ...SCHEMA }, { used });
        assert.deepEqual(
          bad.map(({ index }) => index),
          [texts.length],
          "the bad one alone is bad",
        );
        assert.deepEqual(rows(read), rows({ frame }));
        assert.deepEqual(read.frame.schema, frame.schema);
        assert.equal(read.unknownFields, unknownFields);
      },
    ),
    { seed, numRuns: 2000 },
  );
  assert.ok(taken > 200, `${taken} of 2000 were flat (seed ${seed})`);
});
