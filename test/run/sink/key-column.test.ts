import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { keyColumn } from "../../../lib/run/sink/key-column.ts";
import { textColumn } from "../../../lib/run/sink/text-column.ts";
import { plainKeys, textKeys } from "../../../lib/run/source/record-keys.ts";

const read = ({ bytes, starts, ends, nulls }: ReturnType<typeof keyColumn>) =>
  Array.from(starts, (start, i) => (nulls?.[i] ? null : Buffer.from(bytes.subarray(start, ends[i])).toString("utf8")));

/** Those that need no look at single keys. */
const PLAIN = new Set([
  "plain text",
  "one key",
  "text beyond ASCII",
  "words that CSV readers like",
  "quotes and commas",
]);

for (const [name, keys] of Object.entries({
  "plain text": ["a", "phone-00001", "a"],
  "one key": ["x"],
  "no keys": [],
  "text beyond ASCII": ["naïve", "電話", "🚗", "a"],
  "commas, quotes and line breaks": ["a,b", 'say "x"', "two\nlines", "carriage\rreturn", "\r\n", " "],
  "words that CSV readers like": ["NA", "null", "nan", "#1", "01", "1.50", "true", " lead", "trail ", "\t", "a;b"],
  "quotes and commas": ["a,b", 'say "x"', "'", "a"],
  "control characters": ["a\u0001b", "\u0002", "c"],
  "a byte order mark": ["\ufeffa", "b"],
  "empty text among others": ["a", "", "b"],
  "empty text alone": [""],
  "nulls among others": ["a", null, ""],
  "only nulls": [null, null],
})) {
  test(`${name}: keys are written as they are`, () => {
    const rows = pl.DataFrame([pl.Series("key", keys, pl.Utf8)]);
    assert.deepEqual(read(keyColumn(rows, "key")), keys);
  });
  test(`${name}: what is written is read back`, () => {
    const { bytes, starts, ends, nulls } = textColumn(keys);
    assert.deepEqual(textKeys({ bytes, starts, ends, nulls }, keys.length), { texts: keys, notText: [] });
    // as the record-batch codec gives them: a line each
    const lines = keys.map((key) => Buffer.from(`${key ?? ""}\n`));
    const lengths = lines.map((line) => line.length);
    const from = Uint32Array.from(lengths, (_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0));
    const to = from.map((start, i) => start + lengths[i]! - 1);
    const column = { bytes: Buffer.concat(lines), starts: from, ends: to, nulls };
    assert.deepEqual(textKeys(column, keys.length), { texts: keys, notText: [] });
    const plain = plainKeys(column, keys.length, "key", 0);
    if (plain !== undefined) assert.deepEqual(plain.toArray(), keys);
    assert.equal(plain !== undefined, PLAIN.has(name), "read natively");
  });
}

test("numbers are keys as text; a column that is not there gives null keys", () => {
  const rows = pl.DataFrame([pl.Series("key", [1, 2n, 3].map(Number), pl.Int64)]);
  assert.deepEqual(read(keyColumn(rows, "key")), ["1", "2", "3"]);
  assert.deepEqual(read(keyColumn(rows, "other")), [null, null, null]);
});

test("a key that is not UTF-8 is named, its neighbours are kept", () => {
  const bytes = Buffer.from([0x61, 0x0a, 0xff, 0x0a, 0x62, 0x0a]);
  const keys = { bytes, starts: Uint32Array.of(0, 2, 4), ends: Uint32Array.of(1, 3, 5) };
  assert.deepEqual(textKeys(keys, 3), { texts: ["a", null, "b"], notText: [1] });
});
