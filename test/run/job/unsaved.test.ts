import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import pl from "nodejs-polars";
import type { SealedTask } from "../../../lib/run/job/commit-transaction.ts";
import type { JobPlan } from "../../../lib/run/job/job-plan.ts";
import { Unsaved } from "../../../lib/run/job/unsaved.ts";
import { StateFile } from "../../../lib/state/duckdb/state-file.ts";
import { StateMemory } from "../../../lib/state/state-memory.ts";
import type { StoreSpec } from "../../../lib/state/store.ts";

const sums: StoreSpec = { name: "sums", key: ["device"], schema: { device: "Utf8", sum: "Float64" } };

/** What a checkpoint of partition 0 made of one device, and how far it has come. */
const checkpoint = (device: string, sum: number, offset: number) =>
  [
    {
      task: { partition: 0 },
      changes: new Map([
        [
          "sums",
          {
            upserted: pl.DataFrame({ device: [device], sum: [sum] }),
            removed: pl.DataFrame({ device: [device] }).head(0),
          },
        ],
      ]),
      position: { offsets: { readings: offset }, changelog: { sums: offset }, watermark: Number.NaN, at: 0 },
    },
  ] as unknown as readonly SealedTask[];

test("what checkpoints add while the file is written is for the next save, whole and in order", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-unsaved-"));
  const file = await StateFile.open({ folder, owner: { job: "test", fingerprint: "f" }, stores: [sums] });
  t.after(async () => {
    await file.close();
    await rm(folder, { recursive: true });
  });
  const memory = new StateMemory(64 * 2 ** 20);
  const unsaved = new Unsaved({ stores: [sums] } as unknown as JobPlan, file, memory);
  const held = async () => {
    const rows = await file.cold("sums", 0).all();
    return { rows: rows.sort("device").rows(), offset: (await file.positions()).get(0)?.offsets.readings };
  };

  unsaved.add(checkpoint("a", 1, 1));
  assert.equal(unsaved.due, true);
  const saving = unsaved.save();
  assert.equal(unsaved.none, false, "rows may not leave memory yet");
  unsaved.add(checkpoint("b", 2, 2));
  unsaved.add(checkpoint("a", 3, 3));
  assert.equal(unsaved.due, false, "one save at a time");
  const bytes = memory.bytes;
  await saving;
  assert.deepEqual(await held(), { rows: [["a", 1]], offset: 1 }, "rows and position are of one checkpoint");
  assert.equal(unsaved.none, false);
  assert.ok(memory.bytes > 0 && memory.bytes < bytes, "what is not saved yet is still counted");

  await unsaved.save();
  assert.deepEqual(await held(), { rows: [["a", 3], ["b", 2]], offset: 3 }); // biome-ignore format: rows
  assert.equal(unsaved.none, true);
  assert.equal(memory.bytes, 0);
});
