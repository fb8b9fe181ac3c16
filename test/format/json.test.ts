import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { formatOf, jsonFormat } from "../../lib/format/index.ts";
import type { ByteColumn } from "../../lib/log/columns.ts";
import { recordColumns } from "../support/records.ts";

const texts = ({ bytes, starts, ends }: ByteColumn) =>
  [...starts].map((start, i) => Buffer.from(bytes.subarray(start, ends[i])).toString());

test("every bad record has its reason, and the others keep their keys' places", () => {
  const schema = { a: "Float64", i: "Int64", s: "Utf8", b: "Boolean" };
  const cases: [string | Uint8Array | null, string | undefined][] = [
    ['{"a":1,"i":9007199254740993,"s":"x","b":true}', undefined],
    [null, "null value (tombstone)"],
    ["", "empty value"],
    ["[1]", "a JSON array where a JSON object is expected"],
    ["7", "a JSON number where a JSON object is expected"],
    ['{"a":"fast"}', 'a: "fast" is not a Float64'],
    ['{"i":1.5}', "i: 1.5 is not an Int64"],
    ['{"i":9223372036854775808}', "i: 9223372036854775808 is outside Int64"],
    ['{"a":1e400}', "a: 1e400 is outside Float64"],
    ['{"b":1}', "b: 1 is not a Boolean"],
    ['{"s":"\\ud83d"}', "s: not Unicode text (half of a surrogate pair)"],
    [Buffer.from([0x7b, 0xff, 0x7d]), "not UTF-8"],
    ["\ufeff{}", "not JSON: starts with a byte order mark"],
    [`{"zz":${"[".repeat(10_000)}${"]".repeat(10_000)}}`, "nested deeper than 200 levels"],
    ["[".repeat(1_000_000), "nested deeper than 200 levels"],
    ['{"i":1.0,"i":7}', undefined],
    [`{"s":"${"y".repeat(10_000_000)}"}`, undefined],
    ["{}", undefined],
  ];
  const decoded = jsonFormat.decode(recordColumns(cases.map(([value]) => value)), schema);
  const expected = cases.flatMap(([, reason], index) => (reason === undefined ? [] : [{ index, reason }]));
  assert.deepEqual(decoded.bad, expected);
  assert.deepEqual([...decoded.good!], [0, 15, 16, 17]);
  assert.deepEqual(decoded.frame.getColumn("i").cast(pl.Utf8).toArray(), ["9007199254740993", "7", null, null]);
  assert.equal(String(decoded.frame.getColumn("s").get(2)).length, 10_000_000);
});

test("only used columns decide whether a record is bad", () => {
  const values = ['{"a":1,"b":true}', '{"a":"x","b":true}', '{"a":1,"b":"x"}'];
  const decoded = jsonFormat.decode(recordColumns(values), { a: "Float64", b: "Boolean" }, { used: ["b"] });
  assert.deepEqual(decoded.frame.columns, ["b"]);
  assert.deepEqual(decoded.bad, [{ index: 2, reason: 'b: "x" is not a Boolean' }]);
  const none = jsonFormat.decode(recordColumns([...values, "no"]), { a: "Float64", b: "Boolean" }, { used: [] });
  assert.equal(none.rows, 3);
  assert.equal(none.bad.length, 1);
});

test("unknown fields with a value are ignored and counted", () => {
  const values = ['{"a":1,"y":2}', '{"a":1,"y":null}', '{"y":{"z":1},"x":[]}', '{"a":2}'];
  assert.equal(jsonFormat.decode(recordColumns(values), { a: "Float64" }).unknownFields, 3);
});

test("instants are milliseconds, seconds or ISO 8601, also mixed", () => {
  const at = (values: string[], dtype: string) => {
    const decoded = jsonFormat.decode(recordColumns(values.map((value) => `{"t":${value}}`)), { t: dtype });
    return [decoded.frame.getColumn("t").cast(pl.Int64).toArray().map(Number), decoded.bad.map(({ reason }) => reason)];
  };
  const t = 1767225600000;
  assert.deepEqual(at([`${t}`, `${t + 1}`], "Datetime(ms)"), [[t, t + 1], []]);
  assert.deepEqual(at([`${t / 1000}`, `${t / 1000 + 0.5}`], "Datetime(s)"), [[t, t + 500], []]);
  assert.deepEqual(
    at(
      [
        '"2026-01-01T00:00:00Z"',
        '"2026-01-01T00:00:00.123456Z"',
        '"2026-01-01 02:00+02:00"',
        '"2026-01-01"',
        `${t}`,
        '"2026-02-30"',
      ],
      "Datetime(ms)",
    ),
    [[t, t + 123, t, t, t], ['t: "2026-02-30" is not a Datetime(ms)']],
  );
});

test("an inferred schema widens int to float to text, and names nested fields", () => {
  const cases: [string[], object][] = [
    [['{"a":1}', '{"a":2}'], { a: "Int64" }],
    [['{"a":1}', '{"a":2.5}'], { a: "Float64" }],
    [['{"a":1}', '{"a":1.0}'], { a: "Float64" }],
    [['{"a":1}', '{"a":"x"}'], { a: "Utf8" }],
    [['{"a":null}'], { a: "Utf8" }],
    [['{"a":true}', '{"b":[1,2.5]}'], { a: "Boolean", b: "List(Float64)" }],
    [['{"a":{"x":1,"y":{"z":"t"}}}'], { a: "Struct{x:Int64,y:Struct{z:Utf8}}" }],
    [["[1]", "nonsense"], {}],
  ];
  for (const [values, schema] of cases) assert.deepEqual(jsonFormat.inferSchema([recordColumns(values)]), schema);
});

test("what is inferred from records decodes every one of them", () => {
  const values = ['{"a":1,"n":{"p":1}}', '{"a":2.5,"n":null,"l":[1,null]}', '{"s":"ü","l":[]}', '{"n":{"p":2.5}}'];
  const schema = jsonFormat.inferSchema([recordColumns(values)]);
  const decoded = jsonFormat.decode(recordColumns(values), schema);
  assert.deepEqual([decoded.rows, decoded.bad, decoded.unknownFields], [4, [], 0]);
});

test("rows are written as JSON objects: instants ISO 8601, NaN null, integers exact", () => {
  const frame = pl
    .DataFrame({ x: [1.5, Number.NaN], n: ["9007199254740993", "-1"], t: [0, 1767225600123], s: ['a\nb"', null] })
    .withColumns(pl.col("n").cast(pl.Int64), pl.col("t").cast(pl.Int64).cast(pl.Datetime("ms")));
  assert.deepEqual(texts(jsonFormat.encode(frame, ["s", "x", "n", "t"])), [
    '{"s":"a\\nb\\"","x":1.5,"n":9007199254740993,"t":"1970-01-01T00:00:00.000Z"}',
    '{"s":null,"x":null,"n":-1,"t":"2026-01-01T00:00:00.123Z"}',
  ]);
  assert.deepEqual(texts(jsonFormat.encode(frame, [])), ["{}", "{}"]);
  assert.deepEqual(texts(jsonFormat.encode(frame.head(0), ["x"])), []);
});

test("instants in lists are ISO 8601, too", () => {
  const lists = pl.Series("t", [[0, 1234], [], null], pl.List(pl.Int64)).cast(pl.List(pl.Datetime("ms")));
  assert.deepEqual(texts(jsonFormat.encode(pl.DataFrame([lists]), ["t"])), [
    '{"t":["1970-01-01T00:00:00.000Z","1970-01-01T00:00:01.234Z"]}',
    '{"t":[]}',
    '{"t":null}',
  ]);
});

test("a format or dtype that is not there is refused by name", () => {
  assert.throws(() => formatOf("xml"), { code: "UNKNOWN_FORMAT" });
  assert.throws(() => jsonFormat.decode(recordColumns(["{}"]), { a: "Binary" }), { code: "DTYPE_NOT_IN_JSON" });
});
