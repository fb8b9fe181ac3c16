import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import avsc from "avsc";
import pl from "nodejs-polars";
import protobufjs from "protobufjs";
import { type Decoded, formatOf } from "../../lib/format/index.ts";
import { registryOf } from "../../lib/format/registry/registry.ts";
import type { ByteColumn, RecordColumns } from "../../lib/log/columns.ts";
import { startSchemaRegistry } from "../support/schema-registry.ts";

let registry: Awaited<ReturnType<typeof startSchemaRegistry>>;
before(async () => {
  registry = await startSchemaRegistry();
  process.env.SCHEMA_REGISTRY_URL = registry.url;
});
after(() => registry.stop());

function records(values: readonly (string | Buffer | null)[]): RecordColumns {
  const parts = values.map((value) => Buffer.from(value ?? ""));
  const bytes = Buffer.concat(parts.flatMap((part) => [part, Buffer.from("\n")]));
  const ends = new Uint32Array(parts.length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    ends[i] = at + part.length;
    at += part.length + 1;
  }
  const column: ByteColumn = {
    bytes,
    starts: ends.map((end, i) => end - parts[i]!.length),
    ends,
    ...(values.includes(null) && { nulls: Uint8Array.from(values, (value) => Number(value === null)) }),
  };
  return { count: values.length, keys: column, values: column, timestamps: new Float64Array(values.length) };
}

const asRecords = ({ bytes, starts, ends }: ByteColumn): RecordColumns =>
  records(Array.from(starts, (start, i) => Buffer.from(bytes.subarray(start, ends[i]))));
const rows = ({ frame }: Decoded) => JSON.parse(JSON.stringify(frame.toRecords()));
const why = ({ bad }: Decoded) => bad.map(({ index, reason }) => `${index} ${reason}`);

const FRAME = pl
  .DataFrame({
    device: ["a", null, 'c,"x"\né'],
    n: [1, -2, 3],
    x: [0.5, null, 1e300],
    ok: [true, false, null],
    t: [1_767_225_600_123, 0, null],
  })
  .withColumns(pl.col("n").cast(pl.Int64), pl.col("t").cast(pl.Int64).cast(pl.Datetime("ms")));
const SCHEMA = { device: "Utf8", n: "Int64", x: "Float64", ok: "Boolean", t: "Datetime(ms)" };

for (const name of ["json", "arrow", "avro", "protobuf"]) {
  test(`${name}: what is written is read again`, () => {
    const format = formatOf(name);
    const written = asRecords(format.encode(FRAME, FRAME.columns, `again-${name}`));
    assert.deepEqual(format.inferSchema([written]), name === "json" ? { ...SCHEMA, t: "Utf8" } : SCHEMA);
    const read = format.decode(written, SCHEMA, {});
    assert.deepEqual(why(read), []);
    assert.deepEqual(rows(read), JSON.parse(JSON.stringify(FRAME.toRecords())));
    assert.deepEqual(read.frame.schema, FRAME.schema);
    assert.deepEqual(format.decode(written, SCHEMA, { used: ["x", "t"] }).frame.columns, ["x", "t"]);
  });
}

test("csv: by the order of the schema; quotes, empty fields, and what does not fit", () => {
  const read = formatOf("csv").decode(
    records([
      "a,1,0.5,true,2026-01-01T00:00:00.123Z",
      '"c,""x""",-2,,,',
      ",x,1,true,0",
      "too,few",
      '"open,1,1,true,0',
      null,
    ]),
    SCHEMA,
    {},
  );
  assert.deepEqual(rows(read), [
    { device: "a", n: 1, x: 0.5, ok: true, t: "2026-01-01T00:00:00.123Z" },
    { device: 'c,"x"', n: -2, x: null, ok: null, t: null },
  ]);
  assert.deepEqual(why(read), [
    '2 n: "x" is not an Int64',
    "3 2 fields where the schema has 5",
    "4 a quote is not closed",
    "5 null value (tombstone)",
  ]);
  assert.deepEqual([...read.good!], [0, 1]);
  const written = asRecords(formatOf("csv").encode(FRAME.slice(0, 2), FRAME.columns));
  assert.deepEqual(
    rows(formatOf("csv").decode(written, SCHEMA, {})),
    JSON.parse(JSON.stringify(FRAME.slice(0, 2).toRecords())),
  );
  assert.deepEqual(formatOf("csv").inferSchema([records(["a,1,2.5", "b,2,3"])]), {
    column_1: "Utf8",
    column_2: "Int64",
    column_3: "Float64",
  });
});

test("bytes: as text, base64 and size", () => {
  const format = formatOf("bytes");
  const values = records(["héllo", Buffer.from([0, 255, 10]), ""]);
  const read = format.decode(values, { value: "Utf8", size: "Int64" }, {});
  assert.deepEqual(rows(read), [
    { value: "héllo", size: 6 },
    { value: "", size: 0 },
  ]);
  assert.deepEqual(why(read), ["1 value: not UTF-8"]);
  const coded = format.decode(values, { base64: "Utf8" }, {});
  assert.deepEqual(coded.bad, []);
  const { bytes } = format.encode(coded.frame, ["base64"]);
  assert.deepEqual(Buffer.from(bytes), Buffer.concat([Buffer.from("héllo"), Buffer.from([0, 255, 10])]));
});

test("arrow: ten times as many small messages take about ten times as long, and are in order", () => {
  const schema = { v: "Int32", w: "Utf8" };
  const parts = Array.from({ length: 4000 }, (_, i) =>
    pl
      .DataFrame({ v: pl.Series("v", [i, -i], pl.Int32), w: [`a${i}`, "b"] })
      .writeIPCStream({ compression: "uncompressed" }),
  );
  const timed = (count: number) => {
    const began = performance.now();
    const read = formatOf("arrow").decode(records(parts.slice(0, count)), schema, {});
    return { read, took: performance.now() - began };
  };
  timed(100);
  const [few, many] = [timed(400), timed(4000)];
  assert.deepEqual(
    many.read.frame.getColumn("v").toArray(),
    parts.flatMap((_, i) => [i, 0 - i]),
  );
  assert.deepEqual([...many.read.good!.subarray(-2)], [3999, 3999]);
  assert.ok(many.took < 40 * few.took, `${few.took} ms, then ${many.took} ms`);
});

test("arrow: a message holds many rows; one that does not fit is bad as a whole", () => {
  const one = pl.DataFrame({ channel: [1, 2, 3], value: [0.5, 1.5, 2.5], more: ["x", "y", "z"] });
  const other = pl.DataFrame({ value: [9.5], channel: [4] });
  const wrong = pl.DataFrame({ channel: ["text"], value: [1] });
  const read = formatOf("arrow").decode(
    records([
      one.writeIPC({ compression: "uncompressed" }),
      "nonsense",
      other.writeIPCStream({ compression: "uncompressed" }),
      wrong.writeIPCStream({ compression: "uncompressed" }),
      pl.DataFrame({ channel: [5] }).writeIPC({ compression: "lz4" }),
    ]),
    { channel: "Float64", value: "Float64" },
    {},
  );
  assert.deepEqual(rows(read), [
    { channel: 1, value: 0.5 },
    { channel: 2, value: 1.5 },
    { channel: 3, value: 2.5 },
    { channel: 4, value: 9.5 },
    { channel: 5, value: null },
  ]);
  assert.deepEqual([...read.good!], [0, 0, 0, 2, 4]);
  assert.deepEqual(why(read), ["1 not an Arrow IPC file or stream", "3 channel: Utf8 is not Float64"]);
  assert.equal(read.unknownFields, 1);
});

test("avro: schemas evolve; logical types, long numbers, enums, bytes and nested values; what cannot be read is bad", () => {
  const register = (schema: object) => registryOf("avro").register("evolving", "AVRO", JSON.stringify(schema));
  const value = (id: number, schema: object, row: object) => {
    const start = Buffer.alloc(5);
    start.writeInt32BE(id, 1);
    return Buffer.concat([start, avsc.Type.forSchema(schema as avsc.Schema).toBuffer(row)]);
  };
  const first = {
    type: "record",
    name: "R",
    fields: [
      { name: "id", type: "int" },
      { name: "gone", type: "string" },
    ],
  };
  const second = {
    type: "record",
    name: "R",
    fields: [
      { name: "id", type: "long" },
      { name: "at", type: { type: "long", logicalType: "timestamp-millis" } },
      { name: "day", type: { type: "int", logicalType: "date" } },
      { name: "kind", type: { type: "enum", name: "K", symbols: ["A", "B"] } },
      { name: "raw", type: "bytes" },
      { name: "list", type: { type: "array", items: "double" } },
      { name: "inner", type: ["null", { type: "record", name: "I", fields: [{ name: "x", type: "float" }] }] },
      { name: "map", type: { type: "map", values: "int" } },
    ],
  };
  const [one, two] = [register(first), register(second)];
  const row = {
    id: 5,
    at: 1000,
    day: 1,
    kind: "B",
    raw: Buffer.from("hi"),
    list: [1, 2.5],
    inner: { x: 0.5 },
    map: { a: 1 },
  };
  const late = Buffer.from([0, 0, 0, 0, 99, 1]);
  const values = records([
    value(one, first, { id: 7, gone: "x" }),
    value(two, second, row),
    "{}",
    late,
    value(one, first, { id: 7, gone: "x" }).subarray(0, 6),
  ]);
  const schema = formatOf("avro").inferSchema([values]);
  assert.deepEqual(schema, {
    id: "Int64",
    gone: "Utf8",
    at: "Datetime(ms)",
    day: "Date",
    kind: "Utf8",
    raw: "Utf8",
    list: "List(Float64)",
    inner: "Struct{x:Float64}",
    map: "Utf8",
  });
  const { gone: _, ...known } = schema;
  const read = formatOf("avro").decode(values, known, {});
  const [old, now] = rows(read) as Record<string, unknown>[];
  assert.deepEqual([old!.id, old!.at, old!.kind], [7, null, null]);
  assert.deepEqual(now, {
    id: 5,
    at: "1970-01-01T00:00:01.000Z",
    day: "1970-01-02T00:00:00.000Z",
    kind: "B",
    raw: "aGk=",
    list: [1, 2.5],
    inner: { x: 0.5 },
    map: '{"a":1}',
  });
  assert.equal(read.unknownFields, 1);
  assert.deepEqual(
    why(read).map((reason) => reason.replace(/: truncated.*/, "")),
    [
      "2 not in the Confluent wire format: it does not start with 0 and a schema id",
      "3 the registry has no schema 99",
      `4 not a value of schema ${one}`,
    ],
  );
});

test("avro and protobuf: instants come in the unit of their column, whatever the writer's", () => {
  const at = [1_767_225_600_123, -1, null];
  const micros = pl
    .DataFrame({ at })
    .select(pl.col("at").cast(pl.Int64).multiplyBy(1000).cast(pl.Int64).cast(pl.Datetime("us")).alias("at"));
  const millis = pl.DataFrame({ at }).select(pl.col("at").cast(pl.Int64).cast(pl.Datetime("ms")).alias("at"));
  for (const name of ["avro", "protobuf"]) {
    const format = formatOf(name);
    const both = [millis, micros].map((frame, i) => asRecords(format.encode(frame, ["at"], `units-${name}-${i}`)));
    for (const written of both)
      for (const [dtype, expected] of [
        ["Datetime(ms)", millis],
        ["Datetime(us)", micros],
      ] as const) {
        const read = format.decode(written, { at: dtype }, {});
        assert.deepEqual(read.bad, []);
        assert.deepEqual(read.frame.schema, expected.schema);
        assert.deepEqual(rows(read), JSON.parse(JSON.stringify(expected.toRecords())), `${name} to ${dtype}`);
      }
  }
});

test("avro and protobuf: 64-bit numbers keep their digits", () => {
  const big = pl.Series("big", BigInt64Array.from([2n ** 60n + 1n, -(2n ** 62n) - 3n]) as unknown as number[]);
  const frame = pl.DataFrame([big]);
  for (const name of ["avro", "protobuf"]) {
    const read = formatOf(name).decode(
      asRecords(formatOf(name).encode(frame, ["big"], `big-${name}`)),
      { big: "Int64" },
      {},
    );
    assert.deepEqual(read.bad, []);
    assert.equal(
      read.frame.getColumn("big").cast(pl.Utf8).toArray().join(),
      "1152921504606846977,-4611686018427387907",
      name,
    );
  }
});

test("protobuf: messages by index, instants, enums, repeated and nested fields, and defaults", () => {
  const proto = `syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
    message Other { int32 z = 1; }
    message Order { enum Kind { NONE = 0; BIG = 1; } message Line { string sku = 1; int64 n = 2; }
      int64 id = 1; google.protobuf.Timestamp at = 2; Kind kind = 3; repeated Line lines = 4; optional double price = 5; bytes raw = 6; }`;
  const id = registryOf("protobuf").register("orders-value", "PROTOBUF", proto);
  const root = new protobufjs.Root();
  root.addJSON(
    (protobufjs.common.get("google/protobuf/timestamp.proto") as { nested: Record<string, protobufjs.AnyNestedObject> })
      .nested,
  );
  protobufjs.parse(proto, root, { keepCase: true });
  const type = root.lookupType("shop.Order");
  const value = (row: object) => {
    const start = Buffer.from([0, 0, 0, 0, id, 2, 2]); // one index: 1, zigzag
    return Buffer.concat([start, type.encode(type.fromObject(row)).finish()]);
  };
  const values = records([
    value({ id: 5, at: { seconds: 1, nanos: 5e6 }, kind: "BIG", lines: [{ sku: "a", n: 2 }], price: 0, raw: "aGk=" }),
    value({}),
    Buffer.from([0, 0, 0, 0, id, 2, 18, 0]),
  ]);
  const schema = formatOf("protobuf").inferSchema([values]);
  assert.deepEqual(schema, {
    id: "Int64",
    at: "Datetime(ms)",
    kind: "Utf8",
    lines: "List(Struct{sku:Utf8,n:Int64})",
    price: "Float64",
    raw: "Utf8",
  });
  const read = formatOf("protobuf").decode(values, schema, {});
  assert.deepEqual(rows(read), [
    { id: 5, at: "1970-01-01T00:00:01.005Z", kind: "BIG", lines: [{ sku: "a", n: 2 }], price: 0, raw: "aGk=" },
    { id: 0, at: null, kind: "NONE", lines: [], price: null, raw: "" },
  ]);
  assert.deepEqual(why(read), [`2 not a value of schema ${id}: no message 9`]);
});

test("a registry that refuses, one that is away, and none", () => {
  const encode = () => formatOf("avro").encode(pl.DataFrame({ forbidden: [1] }), ["forbidden"], "t");
  assert.throws(encode, { code: "SCHEMA_REFUSED" });
  process.env.SCHEMA_REGISTRY_URL = "http://127.0.0.1:1";
  assert.throws(encode, { code: "REGISTRY_UNREACHABLE" });
  delete process.env.SCHEMA_REGISTRY_URL;
  assert.throws(encode, { code: "NO_REGISTRY" });
  process.env.SCHEMA_REGISTRY_URL = registry.url;
});

test("an unknown format is refused with the known ones", () => {
  assert.throws(() => formatOf("yaml"), { code: "UNKNOWN_FORMAT", message: /json, arrow, avro, bytes, csv, protobuf/ });
});
