import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { byteColumn, cell, readSamples, samplesFile, writeSamples } from "../../../lib/run/job/samples.ts";

const text = (value: string) => new TextEncoder().encode(value);

test("samples come back as a fetch would give them, and the same records give the same bytes", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-samples-"));
  try {
    const file = path.join(folder, samplesFile("phone-data"));
    const keys = [text("a"), null, Uint8Array.of(0xff, 0x00), text("")];
    const values = [text('{"x":1}'), text("grüße ✓"), null, Uint8Array.of(0x80)];
    const columns = {
      count: 4,
      keys: byteColumn(keys, false),
      values: byteColumn(values, true),
      timestamps: Float64Array.of(1, 2, 3, 4),
      offsets: Float64Array.of(5, 6, 9, 10),
      headers: [
        undefined,
        [
          { key: text("trace"), value: text("1") },
          { key: text("n"), value: null },
        ],
        undefined,
        undefined,
      ],
    };
    const other = {
      count: 0,
      keys: byteColumn([], false),
      values: byteColumn([], true),
      timestamps: Float64Array.of(),
      offsets: Float64Array.of(),
    };
    await writeSamples(file, [
      { partition: 2, columns },
      { partition: 0, columns: other },
    ]);
    const first = await readFile(file);
    const [sample] = await readSamples(file);
    assert.ok(sample);
    assert.equal(sample.partition, 2);
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => bytes(cell(sample.columns.keys, i))),
      keys.map(bytes),
    );
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => bytes(cell(sample.columns.values, i))),
      values.map(bytes),
    );
    assert.equal(
      sample.columns.values.bytes.filter((byte) => byte === 0x0a).length,
      4,
      "every value is followed by a newline",
    );
    assert.deepEqual(sample.columns.offsets, columns.offsets);
    assert.deepEqual(sample.columns.timestamps, columns.timestamps);
    assert.equal(sample.columns.headers?.[1]?.length, 2);
    await writeSamples(file, await readSamples(file));
    assert.deepEqual(await readFile(file), first);
  } finally {
    await rm(folder, { recursive: true });
  }
});

const bytes = (value: Uint8Array | null) => (value === null ? null : [...value]);
