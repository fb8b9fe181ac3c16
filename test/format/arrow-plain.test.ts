import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { formatOf } from "../../lib/format/index.ts";
import { numbersOf } from "../../lib/format/longs.ts";
import { decodeRecordBatches, encodeRecordBatches } from "../../lib/log/index.ts";
import { dtypeOf, type Schema, schemaOf } from "../../lib/schema.ts";
import { columnsOf } from "../log/records.ts";
import { newSeed, seeded } from "../support/seeded.ts";

const seed = newSeed();
console.log(`seed ${seed}`);
const random = seeded(seed);
const below = (limit: number) => Math.floor(random() * limit);

const NUMBERS = {
  Int8: [-128, 127],
  Int16: [-32768, 32767],
  Int32: [-(2 ** 31), 2 ** 31 - 1],
  Int64: [-(2 ** 53) + 1, 2 ** 53 - 1],
  UInt8: [0, 255],
  UInt16: [0, 65535],
  UInt32: [0, 2 ** 32 - 1],
  Float32: [-1e6, 1e6],
  Float64: [-1e300, 1e300],
  "Datetime(ms)": [-62_135_596_800_000, 253_402_300_799_999],
} as const;

function column(name: string, dtype: keyof typeof NUMBERS, rows: number): polars.Series {
  const [least, greatest] = NUMBERS[dtype];
  // near each other and far apart: the upper halves of long ones are then the same, or not
  const from = random() < 0.5 ? least : below(1000);
  const range = from === least ? greatest - least : 50;
  const numbers = Float64Array.from({ length: rows }, () => {
    const number = Math.min(greatest, from + random() * range);
    return dtype.startsWith("Float") ? number : Math.trunc(number);
  });
  const series = polars.Series(name, numbers);
  return dtype.startsWith("Float") ? series.cast(dtypeOf(dtype)) : series.cast(polars.Int64).cast(dtypeOf(dtype));
}

const stream = (frame: polars.DataFrame) => frame.writeIPCStream({ compression: "uncompressed" });
/** Values as a consumer gets them, where they are aligned and where they are not. */
const fetched = (values: readonly (Buffer | null)[], aligned: boolean) =>
  decodeRecordBatches(
    Buffer.concat(
      encodeRecordBatches(
        columnsOf(values.map((value, i) => ({ key: `k${"y".repeat(i % 9)}`, value, timestamp: i }))),
      ).map(({ bytes }) => bytes),
    ),
    { newlines: "keep", aligned },
  );
const cells = (frame: polars.DataFrame) =>
  frame.select(
    ...frame.columns.map((name) => polars.col(name).cast(polars.Float64)).map((expr, i) => expr.alias(`c${i}`)),
  );

test("messages of plain numbers are read where they lie, as Polars reads them", () => {
  for (let run = 0; run < 60; run++) {
    const dtypes = Object.keys(NUMBERS).filter(() => random() < 0.5) as (keyof typeof NUMBERS)[];
    if (dtypes.length === 0) continue;
    const schema: Schema = Object.fromEntries(dtypes.map((dtype, i) => [`c${i}`, dtype]));
    const frames = Array.from({ length: 1 + below(6) }, () => {
      const rows = below(40);
      const columns = dtypes.map((dtype, i) => column(`c${i}`, dtype, rows));
      return polars.DataFrame(random() < 0.3 ? [...columns, column("more", "Int8", rows)] : columns);
    });
    const values = frames.map(stream);
    const used = random() < 0.3 ? [`c${below(dtypes.length)}`] : Object.keys(schema);
    for (const aligned of [true, false]) {
      const read = formatOf("arrow").decode(fetched(values, aligned), schema, { used });
      const what = `seed ${seed}, run ${run}, ${JSON.stringify(schema)}`;
      assert.ok(read.packed !== undefined, what);
      const expected = polars.concat(frames.map((frame) => frame.select(...used))) as polars.DataFrame;
      assert.deepEqual(schemaOf(read.frame), schemaOf(expected), what);
      assert.deepEqual(cells(read.frame).rows(), cells(expected).rows(), what);
      assert.deepEqual([read.rows, read.bad], [expected.height, []], what);
      assert.deepEqual(
        [...read.good!],
        frames.flatMap(({ height }, i) => new Array(height).fill(i)),
        what,
      );
      assert.equal(read.unknownFields, frames.filter(({ columns }) => columns.includes("more")).length, what);
      for (const [name, parts] of read.packed.columns)
        for (const [i, part] of parts.entries()) {
          const wanted = cells(frames[i]!.select(name)).getColumn("c0").toArray();
          assert.deepEqual([...numbersOf(part)], wanted, what);
        }
    }
  }
});

test("whatever else a message holds, Polars reads it, or says what is wrong", () => {
  const plain = polars.DataFrame([polars.Series("n", [1, 2, 3], polars.Int32), polars.Series("x", [1, 2, 3])]);
  const schema = { n: "Int32", x: "Float64" };
  const whole = stream(plain);
  const [n, x] = [polars.col("n"), polars.col("x")];
  const others: Record<string, [Buffer | null, string?]> = {
    null: [stream(plain.withColumns(polars.when(n.gt(2)).then(n).otherwise(polars.lit(null)).alias("n")))],
    smaller: [stream(plain.withColumns(n.cast(polars.Int8)))],
    absent: [stream(plain.select("n"))],
    compressed: [plain.writeIPC({ compression: "lz4" })],
    file: [plain.writeIPC({ compression: "uncompressed" })],
    more: [Buffer.concat([whole, Buffer.alloc(8)])],
    texts: [stream(plain.withColumns(polars.lit("a").alias("text")))],
    wrong: [stream(plain.withColumns(x.cast(polars.Utf8))), "x: Utf8 is not Float64"],
    long: [stream(plain.withColumns(n.cast(polars.Int64))), "n: Int64 is not Int32"],
    tombstone: [null, "null value (tombstone)"],
    cut: [whole.subarray(0, whole.length - 60)],
    nonsense: [Buffer.from("nonsense"), "not an Arrow IPC file or stream"],
  };
  for (const [what, [value, reason]] of Object.entries(others)) {
    const read = formatOf("arrow").decode(fetched([whole, value, whole], true), schema, {});
    assert.equal(read.packed, undefined, what);
    const good = [...new Set(read.good)];
    if (reason !== undefined) assert.deepEqual(read.bad, [{ index: 1, reason }], what);
    assert.deepEqual([...good, ...read.bad.map(({ index }) => index)].sort(), [0, 1, 2], what);
    assert.equal(read.frame.height, 3 * good.length, what);
  }
});

test("a length that reaches beyond the message is not followed into the next", () => {
  const frame = polars.DataFrame([
    polars.Series(
      "n",
      Int32Array.from({ length: 100 }, (_, i) => i),
    ),
  ]);
  const whole = stream(frame);
  const read = formatOf("arrow").decode(fetched([whole.subarray(0, whole.length - 200), whole], true), { n: "Int32" });
  assert.equal(read.packed, undefined);
  assert.deepEqual(
    read.bad.map(({ index }) => index),
    [0],
  );
  assert.deepEqual(
    read.frame.getColumn("n").toArray(),
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test("what a message says of itself is believed only once Polars has read such a one", () => {
  const frame = polars.DataFrame([
    polars.Series(
      "n",
      Int32Array.from({ length: 50 }, (_, i) => i),
    ),
  ]);
  const whole = stream(frame);
  const odd = {
    "a length that goes backwards": Buffer.from("fffffffff8ffffff", "hex"),
    "the same without a prefix": Buffer.from("fcffffff", "hex"),
    "no prefix, as before Arrow 0.15": whole.subarray(4),
    "two columns of one name": stream(
      polars.DataFrame([polars.Series("n", [1], polars.Int32), polars.Series("m", [2], polars.Int32)]),
    ),
  };
  const m = odd["two columns of one name"];
  for (let at = m.indexOf("m\0\0\0"); at >= 0; at = m.indexOf("m\0\0\0", at + 1)) m[at] = 0x6e;
  for (const [what, message] of Object.entries(odd)) {
    const read = formatOf("arrow").decode(fetched([whole, message, whole], true), { n: "Int32" });
    assert.equal(read.packed, undefined, what);
    assert.equal(new Set(read.good).size + read.bad.length, 3, what);
  }
});

/** The same as Polars reads it, where nothing is remembered. */
const alone = (value: Buffer, schema: Schema) => formatOf("arrow").decode(fetched([value], false), { ...schema });

test("what is read after another message of its layout is what is read alone, whatever bit of what it says is changed", () => {
  const schema = { 2: "Int32", at: "Datetime(ms)", 1: "Int32" };
  const of = (numbers: readonly number[]) =>
    stream(
      polars.DataFrame([
        polars.Series("2", Int32Array.from(numbers)),
        polars.Series("at", Float64Array.from(numbers)).cast(polars.Int64).cast(polars.Datetime("ms")),
        polars.Series(
          "1",
          Int32Array.from(numbers, (one) => -one),
        ),
      ]),
    );
  // of zeros nothing tells a column, or a unit, from another
  const [zeros, others] = [of([0, 0, 0, 0]), of([5, 6, 7, 8])];
  const head = zeros.findIndex((byte, i) => byte !== others[i]);
  let [packed, judged] = [0, 0];
  for (let at = 0; at < zeros.length; at++)
    for (const bit of at < head ? [0, 1, 2, 3, 4, 5, 6, 7] : [below(8)]) {
      const [first, second] = [zeros, others].map((message) => {
        const changed = Buffer.from(message);
        changed[at]! ^= 1 << bit;
        return changed;
      }) as [Buffer, Buffer];
      const read = formatOf("arrow").decode(fetched([first, second, first], true), { ...schema });
      if (read.packed === undefined) continue;
      packed++;
      const expected = [first, second, first].map((message) => polars.readIPCStream(message));
      for (const [name, parts] of read.packed.columns)
        for (const [i, part] of parts.entries()) {
          const what = `seed ${seed}, byte ${at}, bit ${bit}, message ${i}, column ${name}`;
          const wanted = expected[i]!.getColumn(name).cast(polars.Int64).cast(polars.Float64).toArray();
          assert.deepEqual([...numbersOf(part)], wanted, what);
          judged++;
        }
    }
  assert.ok(packed > 100 && judged > packed, `seed ${seed}: ${packed} are still plain`);
  assert.deepEqual(alone(others, schema).frame.getColumn("1").toArray(), [-5, -6, -7, -8]);
});

test("layouts are looked for as long as they are found again, and few are kept", () => {
  const schema: Schema = { n: "Int32" };
  const message = (rows: number) => stream(polars.DataFrame([polars.Series("n", new Int32Array(rows).fill(rows))]));
  const read = (rows: number) => formatOf("arrow").decode(fetched([message(rows)], true), schema);
  const plain = Array.from({ length: 200 }, (_, i) => read(10 + i).packed !== undefined);
  assert.equal(plain.filter(Boolean).length, 64, "each of another length");
  for (let i = 0; i < 300; i++) assert.ok(read(10).packed !== undefined);
  assert.ok(read(500).packed !== undefined, "where others are found again there is room for another");
  assert.deepEqual(read(500).frame.getColumn("n").toArray(), new Array(500).fill(500));
});

test("integers that no double holds are read by Polars", () => {
  const exact = (value: bigint) =>
    stream(polars.DataFrame([polars.Series("n", [String(value), "1"]).cast(polars.Int64)]));
  for (const [value, packed] of [
    [2n ** 53n, false],
    [2n ** 53n - 1n, true],
    [-(2n ** 53n) - 1n, false],
    [-(2n ** 53n) + 1n, true],
    [2n ** 63n - 1n, false],
  ] as const) {
    const read = formatOf("arrow").decode(fetched([exact(value), exact(5n)], true), { n: "Int64" });
    assert.equal(read.packed !== undefined, packed, String(value));
    assert.deepEqual(read.frame.getColumn("n").cast(polars.Utf8).toArray(), [String(value), "1", "5", "1"]);
  }
});

test("aligned values begin at multiples of eight, and are the same", () => {
  for (let run = 0; run < 50; run++) {
    const values = Array.from({ length: 1 + below(20) }, () =>
      random() < 0.1 ? null : Buffer.from(Array.from({ length: below(random() < 0.5 ? 20 : 400) }, () => below(256))),
    );
    const [one, other] = [fetched(values, true), fetched(values, false)];
    for (const [i, value] of values.entries()) {
      const what = `seed ${seed}, run ${run}, value ${i}`;
      const { bytes, starts, ends, nulls } = one.values;
      assert.equal(nulls?.[i] === 1, value === null, what);
      assert.ok(Buffer.from(bytes.subarray(starts[i], ends[i])).equals(value ?? Buffer.alloc(0)), what);
      // records of a few bytes leave no room for it
      if ((value?.length ?? 0) > 64) assert.equal((bytes.byteOffset + starts[i]!) % 8, 0, what);
    }
    assert.deepEqual(one.keys, other.keys);
    assert.deepEqual(one.offsets, other.offsets);
  }
});
