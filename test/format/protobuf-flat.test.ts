import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import protobufjs from "protobufjs";
import { formatOf } from "../../lib/format/index.ts";
import { rowObjects } from "../../lib/format/json/row-objects.ts";
import { FlatProtobuf } from "../../lib/format/protobuf/flat-reader.ts";
import { flatProtobufRows } from "../../lib/format/protobuf/flat-writer.ts";
import { protoOf } from "../../lib/format/protobuf/format.ts";
import { registryOf } from "../../lib/format/registry/registry.ts";
import { dtypeName } from "../../lib/schema.ts";
import { startSchemaRegistry } from "../support/schema-registry.ts";
import { newSeed } from "../support/seeded.ts";
import { allFinite, byteRecords } from "./byte-records.ts";
import { flatFrames } from "./flat-frames.ts";

const TIMESTAMP = (
  protobufjs.common.get("google/protobuf/timestamp.proto") as { nested: Record<string, protobufjs.AnyNestedObject> }
).nested;

const whole32 = fc.integer();
const unsigned32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const whole64 = fc.oneof(fc.maxSafeInteger(), fc.integer());
const unsigned64 = fc.oneof(fc.maxSafeNat(), fc.nat());
const double = fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, 1 / 0));
const text = fc.string({ unit: "grapheme", maxLength: 5 });

/** Types of fields, the dtypes that they fit, and their values for protobufjs. */
const TYPES: Readonly<Record<string, { dtypes: readonly string[]; value: fc.Arbitrary<unknown> }>> = {
  int32: { dtypes: ["Int64", "Float64"], value: whole32 },
  sint32: { dtypes: ["Int64"], value: whole32 },
  uint32: { dtypes: ["Int64"], value: unsigned32 },
  fixed32: { dtypes: ["Int64"], value: unsigned32 },
  sfixed32: { dtypes: ["Int64"], value: whole32 },
  int64: { dtypes: ["Int64", "Float64"], value: whole64 },
  sint64: { dtypes: ["Int64"], value: whole64 },
  uint64: { dtypes: ["Int64"], value: unsigned64 },
  fixed64: { dtypes: ["Int64"], value: unsigned64 },
  sfixed64: { dtypes: ["Int64"], value: whole64 },
  bool: { dtypes: ["Boolean"], value: fc.boolean() },
  float: { dtypes: ["Float64"], value: fc.float() },
  double: { dtypes: ["Float64"], value: double },
  string: { dtypes: ["Utf8"], value: text },
  "google.protobuf.Timestamp": {
    dtypes: ["Datetime(ms)", "Datetime(us)"],
    value: fc.record({
      seconds: fc.integer({ min: -1e9, max: 4e9 }),
      nanos: fc.integer({ min: 0, max: 999_999_999 }),
    }),
  },
};
/** What is only passed over. */
const OTHERS: Readonly<Record<string, { text: string; value: fc.Arbitrary<unknown> }>> = {
  bytes: { text: "bytes other = 77;", value: fc.uint8Array({ maxLength: 4 }) },
  optional: { text: "optional int64 other = 77;", value: whole64 },
  repeated: { text: "repeated sint64 other = 77;", value: fc.array(whole64, { maxLength: 3 }) },
  nested: {
    text: "message Inner { string s = 1; } Inner other = 77;",
    value: fc.option(fc.record({ s: text }), { nil: undefined }),
  },
  chosen: { text: "oneof one { int32 other = 77; string more = 78; }", value: whole32 },
};

const rows = (decoded: { frame: { toRecords(): unknown } }) => JSON.parse(JSON.stringify(decoded.frame.toRecords()));

const field = fc.constantFrom(...Object.keys(TYPES)).chain((type) =>
  fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e"),
    type: fc.constant(type),
    dtype: fc.constantFrom(...TYPES[type]!.dtypes),
    optional: fc.boolean(),
    number: fc.integer({ min: 1, max: 40 }),
  }),
);
const program = fc
  .record({
    schema: fc.uniqueArray(field, { selector: ({ name }) => name, minLength: 1 }),
    other: fc.option(fc.constantFrom(...Object.keys(OTHERS))),
    second: fc.boolean(),
  })
  .filter(({ schema }) => new Set(schema.map(({ number }) => number)).size === schema.length)
  .chain(({ schema, other, second }) => {
    const values = Object.fromEntries(schema.map(({ name, type }) => [name, TYPES[type]!.value]));
    const row = fc.record({ ...values, ...(other !== null && { other: OTHERS[other]!.value }) }, { requiredKeys: [] });
    return fc.record({
      schema: fc.constant(schema),
      other: fc.constant(other),
      second: fc.constant(second),
      rows: fc.array(row, { minLength: 1, maxLength: 5 }),
      used: fc.subarray(
        schema.map(({ name }) => name),
        { minLength: 1 },
      ),
      left: fc.integer({ min: 0, max: 9 }),
    });
  });

test("whatever is read flat is what the other way reads: every scalar, with and without presence, set and unset, beside fields that nobody wants", async (t) => {
  const registry = await startSchemaRegistry();
  process.env.SCHEMA_REGISTRY_URL = registry.url;
  t.after(() => registry.stop());
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  let [flat, all] = [0, 0];
  fc.assert(
    fc.property(program, ({ schema, other, second, rows: made, used, left }) => {
      const lines = schema.map(
        ({ name, type, optional, number }) => `${optional ? "optional " : ""}${type} ${name} = ${number};`,
      );
      const proto = `syntax = "proto3"; package t; import "google/protobuf/timestamp.proto";
        ${second ? "message First { int32 z = 1; }" : ""} message Row { ${lines.join(" ")} ${other === null ? "" : OTHERS[other]!.text} }`;
      const id = registryOf("protobuf").register(`flat-${seed}-${all++}`, "PROTOBUF", proto);
      const root = new protobufjs.Root();
      root.addJSON(TIMESTAMP);
      protobufjs.parse(proto, root, { keepCase: true });
      const type = root.lookupType("t.Row");
      const head = Buffer.alloc(second ? 7 : 6);
      head.writeInt32BE(id, 1);
      if (second) head.set([2, 2], 5); // one index: 1
      const values = made.map((row) => Buffer.concat([head, type.encode(type.fromObject(row)).finish()]));
      const known = schema.filter(({ name }, i) => i !== left || used.includes(name));
      const dtypes = { ...Object.fromEntries(known.map(({ name, dtype }) => [name, dtype])), lacking: "Utf8" };
      const wanted = [...used, "lacking"];
      const reader = () =>
        FlatProtobuf.of(dtypes, wanted, (_id, index) => (index === Number(second) ? type : undefined))!;
      const read = reader().read(byteRecords(values));
      const general = formatOf("protobuf").decode(
        byteRecords([...values, Buffer.from("no")]),
        { ...dtypes },
        { used: wanted },
      );
      if (read === undefined) return;
      flat++;
      assert.deepEqual(
        general.bad.map(({ index }) => index),
        [values.length],
      );
      assert.deepEqual(rows(read), rows({ frame: general.frame.select(...read.frame.columns) }));
      assert.deepEqual(read.frame.select(...general.frame.columns).schema, general.frame.schema);
      // the other way counts fields that the program does not use together with those that nobody knows, and no NaN
      if (used.length === known.length && allFinite(made)) assert.equal(read.unknownFields, general.unknownFields);
      // a message that is cut is read only where the other way reads it, too
      const last = values.at(-1)!;
      for (let to = head.length; to < last.length; to++) {
        const cut = [...values.slice(0, -1), last.subarray(0, to)];
        const some = reader().read(byteRecords(cut));
        if (some === undefined) continue;
        const same = formatOf("protobuf").decode(
          byteRecords([...cut, Buffer.from("no")]),
          { ...dtypes },
          { used: wanted },
        );
        assert.deepEqual(rows(some), rows({ frame: same.frame.select(...some.frame.columns) }), `cut at ${to}`);
      }
    }),
    { seed, numRuns: 80 },
  );
  assert.ok(flat > all / 2, `${flat} of ${all} were flat`);
});

test("whatever is written flat is what protobufjs reads: the rows that JSON writes", (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const start = Buffer.alloc(6);
  fc.assert(
    fc.property(flatFrames(60, { without: ["day"] }), (frame) => {
      const flat = flatProtobufRows(frame, frame.columns, start)!;
      const root = new protobufjs.Root();
      root.addJSON(TIMESTAMP);
      protobufjs.parse(protoOf(frame, frame.columns), root, { keepCase: true });
      const type = root.lookupType("millrace.Row");
      const read = Array.from(flat.starts, (from, i) => {
        const row = type.toObject(type.decode(flat.bytes.subarray(from + 6, flat.ends[i])), { longs: Number });
        return Object.fromEntries(frame.columns.map((name) => [name, micros(row[name])]));
      });
      const expected = rowObjects(frame, frame.columns).map((row) =>
        Object.fromEntries(
          frame.columns.map((name) => {
            const instant = /Datetime\((ms|us)/.exec(dtypeName(frame.getColumn(name).dtype))?.[1];
            const value = row[name] ?? null;
            return [
              name,
              instant === undefined || value === null ? value : Number(value) * (instant === "ms" ? 1000 : 1),
            ];
          }),
        ),
      );
      assert.deepEqual(read, expected);
    }),
    { seed, numRuns: 60 },
  );
});

/** An instant as microseconds, another value as it is. */
function micros(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value ?? null;
  const { seconds = 0, nanos = 0 } = value as { seconds?: number; nanos?: number };
  return seconds * 1e6 + nanos / 1000;
}
