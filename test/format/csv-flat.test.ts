import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FlatCsv } from "../../lib/format/csv/flat-reader.ts";
import { formatOf } from "../../lib/format/index.ts";
import { newSeed } from "../support/seeded.ts";
import { byteRecords } from "./byte-records.ts";

const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.constantFrom("1e3", "-2.5E-3", "0", "-0.0", "-0", "01", "1.", "123456789012345678", "1.0"),
);
const instant = fc
  .date({ min: new Date("1960-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());
const text = fc.string({ unit: "grapheme", maxLength: 6 }).filter((one) => !/[\n\r]/.test(one));
const flag = fc.constantFrom("true", "false");
const FITTING: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Int64: fc.maxSafeInteger().map(String),
  Float64: number,
  Utf8: fc.oneof(text, number),
  Boolean: flag,
  "Datetime(ms)": fc.oneof(instant, fc.integer({ min: 0, max: 2 ** 41 }).map(String)),
  "Datetime(us)": fc.oneof(instant, fc.integer({ min: 0, max: 2 ** 50 }).map(String)),
  "Datetime(s)": fc.integer({ min: 0, max: 2 ** 31 }).map(String),
};
const rows = (decoded: { frame: { toRecords(): unknown } }) =>
  JSON.parse(JSON.stringify(decoded.frame.toRecords(), (_, value) => (Object.is(value, -0) ? "-0" : value)));

test("whatever is read flat is what the other way reads: lines without quotes, empty fields, fields that do not fit", (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const dtypes = fc.array(fc.constantFrom(...Object.keys(FITTING)), { minLength: 1, maxLength: 5 });
  const program = dtypes.chain((columns) => {
    const any = fc.oneof(number, instant, text, flag);
    const line = fc.tuple(
      ...columns.map((dtype) =>
        fc.oneof({ weight: 40, arbitrary: FITTING[dtype]! }, { weight: 6, arbitrary: fc.constant("") }, any),
      ),
    );
    return fc.record({
      columns: fc.constant(columns),
      lines: fc.array(
        line.map((cells) => cells.join(",")),
        { minLength: 1, maxLength: 4 },
      ),
      used: fc.subarray(
        columns.map((_, i) => `c${i}`),
        { minLength: 1 },
      ),
    });
  });
  let [flat, all] = [0, 0];
  fc.assert(
    fc.property(program, ({ columns, lines, used }) => {
      all++;
      const schema = Object.fromEntries(columns.map((dtype, i) => [`c${i}`, dtype]));
      const values = lines.map((line) => Buffer.from(line));
      const read = FlatCsv.of(schema, used)?.read(byteRecords(values));
      if (read === undefined) return;
      flat++;
      const tooMany = Buffer.from(",".repeat(columns.length));
      const general = formatOf("csv").decode(byteRecords([...values, tooMany]), { ...schema }, { used });
      assert.deepEqual(
        general.bad.map(({ index }) => index),
        [values.length],
      );
      assert.deepEqual(rows(read), rows(general));
      assert.deepEqual(read.frame.schema, general.frame.schema);
    }),
    { seed, numRuns: 600 },
  );
  assert.ok(flat > all / 4, `${flat} of ${all} were flat`);
});
