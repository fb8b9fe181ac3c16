import assert from "node:assert/strict";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import pl from "nodejs-polars";
import { type AvroPart, avroWriter } from "../../lib/format/avro/codec.ts";
import { FlatAvro } from "../../lib/format/avro/flat-reader.ts";
import { flatAvroRows } from "../../lib/format/avro/flat-writer.ts";
import { avroSchemaOf } from "../../lib/format/avro/schema.ts";
import { formatOf } from "../../lib/format/index.ts";
import { rowObjects } from "../../lib/format/json/row-objects.ts";
import { registryOf } from "../../lib/format/registry/registry.ts";
import { startSchemaRegistry } from "../support/schema-registry.ts";
import { newSeed } from "../support/seeded.ts";
import { allFinite, byteRecords } from "./byte-records.ts";
import { flatFrames } from "./flat-frames.ts";

/** The largest whole number that avsc, the oracle, writes as a long: one less than the largest safe one. */
const AVSC_LONG = Number.MAX_SAFE_INTEGER - 1;
const TYPES: Readonly<Record<string, { type: avsc.Schema; dtype: string; value: fc.Arbitrary<unknown> }>> = {
  int: { type: "int", dtype: "Int64", value: fc.integer() },
  long: { type: "long", dtype: "Int64", value: fc.integer({ min: -AVSC_LONG, max: AVSC_LONG }) },
  "whole as a fraction": { type: "long", dtype: "Float64", value: fc.integer() },
  float: { type: "float", dtype: "Float64", value: fc.float() },
  double: { type: "double", dtype: "Float64", value: fc.double() },
  boolean: { type: "boolean", dtype: "Boolean", value: fc.boolean() },
  string: { type: "string", dtype: "Utf8", value: fc.string({ unit: "grapheme", maxLength: 5 }) },
  millis: {
    type: { type: "long", logicalType: "timestamp-millis" } as avsc.Schema,
    dtype: "Datetime(ms)",
    value: fc.integer({ min: -1e12, max: 4e12 }),
  },
  micros: {
    type: { type: "long", logicalType: "timestamp-micros" } as avsc.Schema,
    dtype: "Datetime(us)",
    value: fc.integer({ min: -1e15, max: 2e15 }),
  },
  day: {
    type: { type: "int", logicalType: "date" } as avsc.Schema,
    dtype: "Date",
    value: fc.integer({ min: -50_000, max: 100_000 }),
  },
};
/** What is only passed over. */
const OTHERS: Readonly<Record<string, { type: avsc.Schema; value: fc.Arbitrary<unknown> }>> = {
  bytes: { type: "bytes", value: fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)) },
  fixed: {
    type: { type: "fixed", name: "F", size: 3 },
    value: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((b) => Buffer.from(b)),
  },
  enum: { type: { type: "enum", name: "E", symbols: ["A", "B"] }, value: fc.constantFrom("A", "B") },
};

const rows = (decoded: { frame: { toRecords(): unknown } }) => JSON.parse(JSON.stringify(decoded.frame.toRecords()));

const fields = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e"),
    kind: fc.constantFrom(...Object.keys(TYPES)),
    nullable: fc.constantFrom("no", "first", "last"),
  }),
  { selector: ({ name }) => name, minLength: 1 },
);
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never;

function written(schema: Fields, other: string | undefined) {
  const all = schema.map(({ name, kind, nullable }) => ({ name: name as string, nullable, ...TYPES[kind]! }));
  if (other !== undefined) all.push({ name: "other", nullable: "no", dtype: "", ...OTHERS[other]! });
  const union = (type: avsc.Schema, nullable: string) =>
    nullable === "no" ? type : nullable === "first" ? ["null", type] : [type, "null"];
  const record = {
    type: "record",
    name: "R",
    fields: all.map(({ name, type, nullable }) => ({ name, type: union(type, nullable) })),
  };
  const row = fc.record(
    Object.fromEntries(
      all.map(({ name, value, nullable }) => [name, nullable === "no" ? value : fc.option(value, { freq: 3 })]),
    ),
  );
  return { record, row };
}

test("whatever is read flat is what the other way reads, of schemas with and without null, with fields more and fewer", async (t) => {
  const registry = await startSchemaRegistry();
  process.env.SCHEMA_REGISTRY_URL = registry.url;
  t.after(() => registry.stop());
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const writer = (id: number) => JSON.parse(registryOf("avro").schema(id)!.text) as AvroPart;
  let [flat, all] = [0, 0];
  const one = fields.chain((schema) =>
    fc.option(fc.constantFrom(...Object.keys(OTHERS))).chain((other) => {
      const { record, row } = written(schema, other ?? undefined);
      return fc.record({
        schema: fc.constant(schema),
        record: fc.constant(record),
        rows: fc.array(row, { minLength: 1, maxLength: 5 }),
        used: fc.subarray(
          schema.map(({ name }) => name),
          { minLength: 1 },
        ),
        left: fc.integer({ min: 0, max: 9 }),
      });
    }),
  );
  fc.assert(
    fc.property(one, ({ schema, record, rows: made, used, left }) => {
      const id = registryOf("avro").register(`flat-${seed}-${all}`, "AVRO", JSON.stringify(record));
      const type = avsc.Type.forSchema(record as avsc.Schema);
      const values = made.map((row) => {
        const start = Buffer.alloc(5);
        start.writeInt32BE(id, 1);
        return Buffer.concat([start, type.toBuffer(row)]);
      });
      // one that the topic's schema lacks, and one that the writer's lacks
      const known = schema.filter(({ name }, i) => i !== left || used.includes(name));
      const dtypes = {
        ...Object.fromEntries(known.map(({ name, kind }) => [name, TYPES[kind]!.dtype])),
        lacking: "Utf8",
      };
      const wanted = [...used, "lacking"];
      all++;
      const read = FlatAvro.of(dtypes, wanted, writer)?.read(byteRecords(values));
      const general = formatOf("avro").decode(
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
      // what does not fit is left to the other way, wherever it is cut
      const last = values.at(-1)!;
      for (let to = 0; to < last.length; to++) {
        const cut = FlatAvro.of(dtypes, wanted, writer)?.read(
          byteRecords([...values.slice(0, -1), last.subarray(0, to)]),
        );
        assert.equal(cut, undefined, `cut at ${to} of ${last.length}`);
      }
    }),
    { seed, numRuns: 150 },
  );
  assert.ok(flat > all / 2, `${flat} of ${all} were flat`);
});

test("whatever is written flat is what the other way writes, byte by byte", (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const start = Buffer.from([0, 0, 0, 0, 9]);
  fc.assert(
    fc.property(flatFrames(120), (frame) => {
      const flat = flatAvroRows(frame, frame.columns, start)!;
      const write = avroWriter(avroSchemaOf(frame, frame.columns));
      const general = rowObjects(frame, frame.columns).map((row) => Buffer.concat([start, write(row)]).toString("hex"));
      const rows = Array.from(flat.starts, (from, i) => Buffer.from(flat.bytes.subarray(from, flat.ends[i])));
      assert.deepEqual(
        rows.map((row) => row.toString("hex")),
        general,
      );
    }),
    { seed, numRuns: 60 },
  );
  const beyond = pl.DataFrame([pl.Series("n", BigInt64Array.from([2n ** 60n]) as unknown as number[])]);
  assert.equal(flatAvroRows(beyond, ["n"], Buffer.alloc(5)), undefined);
});
