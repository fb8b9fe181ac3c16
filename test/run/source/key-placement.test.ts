import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { concat, table, topic } from "../../../lib/frame/index.ts";
import type { StreamFrame } from "../../../lib/frame/stream-frame.ts";
import { partitionOf } from "../../../lib/log/index.ts";
import { compile } from "../../../lib/operators/program.ts";
import { sourcesOf } from "../../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../../lib/plan/pl.ts";
import { KeyPlacement } from "../../../lib/run/source/index.ts";
import type { Schema } from "../../../lib/schema.ts";

const schema: Schema = { device: "Utf8", model: "Utf8", x: "Float64" };
const phones = topic("phones", { key: "device", schema });
const tablets = topic("tablets", { key: "device", schema });
const models = table("models", { key: "model", schema: { model: "Utf8", limit: "Float64" } });
const PARTITIONS = 4;
const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);

const byMurmur = (key: string) => partitionOf(PARTITIONS, Buffer.from(key));
const otherwise = (key: string) => (byMurmur(key) + 1) % PARTITIONS;

/** Shows a program the records of its topics, each placed in a way of its own. */
function read(frame: StreamFrame, placed: Readonly<Record<string, (key: string) => number>>): void {
  const sources = sourcesOf([frame.node]);
  const schemas = new Map(sources.map((source) => [source.id, source.schema as Schema]));
  const program = compile([frame.node], schemas);
  const placement = new KeyPlacement(program);
  for (const { id, node } of program.sources) {
    const [name] = node.topics as [string];
    for (const key of keys)
      placement.check(
        id,
        { topic: name, partition: placed[name]!(key), partitions: PARTITIONS },
        polars.DataFrame({ _key: [key, null] }),
      );
  }
}

const joined = phones.join(tablets, { on: "device", within: "1s" });
const refused = { code: "KEYS_PLACED_DIFFERENTLY" };

test("topics that are joined have to place keys alike, whichever way that is", () => {
  read(joined, { phones: byMurmur, tablets: byMurmur });
  read(joined, { phones: otherwise, tablets: otherwise });
  assert.throws(
    () => read(joined, { phones: byMurmur, tablets: otherwise }),
    (error: any) => {
      assert.equal(error.code, refused.code);
      assert.match(
        error.message,
        /The key "k\d+" lies in partition \d of phones, and tablets has it in partition \d|of tablets, and phones has it/,
      );
      return true;
    },
  );
});

test("beside rows that are placed anew, a topic has to be placed as they are: by murmur2", () => {
  const looked = phones.join(models, { on: "model" });
  read(looked, { phones: otherwise, models: byMurmur });
  assert.throws(() => read(looked, { phones: byMurmur, models: otherwise }), refused);
});

test("what is placed anew on both sides, and what is not joined by keys, may lie anywhere", () => {
  const both = phones.keyBy("device").join(tablets.keyBy("device"), { on: "device", within: "1s" });
  read(both, { phones: byMurmur, tablets: otherwise });
  read(concat(phones, tablets).filter(pl.col("x").gt(0)), { phones: byMurmur, tablets: otherwise });
});
