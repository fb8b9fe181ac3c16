import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { schemaOf } from "../../lib/schema.ts";
import type { ColdRows } from "../../lib/state/cold-rows.ts";
import { MemoryStore } from "../../lib/state/memory-store.ts";
import { SpillingStore } from "../../lib/state/spilling-store.ts";
import { StateMemory } from "../../lib/state/state-memory.ts";
import type { OpenStore } from "../../lib/state/store.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { asSource, assertFramesEqual, compileFrame, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const [x, i, j] = [pl.col("x"), pl.col("i"), pl.col("j")];
/** Longer than a text is kept in Polars' views. */
const long = pl.concatString([pl.col("device"), pl.lit("a text of many bytes"), pl.col("s")], "/").alias("long");

const KEYS: readonly (readonly [string, ...string[]])[] = [
  ["device"],
  ["i", "device"],
  ["j", "device"],
  ["device", "long"],
  ["s", "i", "device"],
];

const NOTHING_COLD = new Proxy({} as ColdRows, {
  get: () => () => assert.fail("nothing has left memory"),
});

/** Stores as a job has them: their changes are taken from time to time, and they are opened anew from what was taken. */
class JobStores {
  readonly #taken = new Map<string, MemoryStore>();
  readonly #open = new Map<string, SpillingStore>();

  readonly open: OpenStore = (spec) => {
    const taken = this.#taken.get(spec.name) ?? new MemoryStore(spec);
    this.#taken.set(spec.name, taken);
    const store = new SpillingStore(spec, NOTHING_COLD, new StateMemory(1e9), { rows: taken.inMemory });
    this.#open.set(spec.name, store);
    return store;
  };

  async takeChanges(): Promise<void> {
    for (const [name, store] of this.#open) {
      const { upserted, removed } = await store.takeChanges();
      await this.#taken.get(name)!.remove(removed);
      await this.#taken.get(name)!.upsert(upserted);
      assert.deepEqual(
        texts(await store.all()),
        texts(this.#taken.get(name)!.inMemory),
        `${name}: what changed was taken`,
      );
    }
  }
}

const texts = (frame: polars.DataFrame): string[] =>
  frame
    .rows()
    .map((row) => row.map(String).join())
    .sort();

async function runAsJob(
  frame: StreamFrame,
  list: polars.DataFrame,
  sizes: readonly number[],
): Promise<polars.DataFrame> {
  const program = compileFrame(frame, schemaOf(list));
  const stores = new JobStores();
  let task = await program.open(stores.open);
  const parts: polars.DataFrame[] = [list.head(0)];
  let start = 0;
  for (const [turn, length] of [...sizes, list.height].entries()) {
    const batch = asSource(list).slice(start, Math.min(length, list.height - start));
    const { rows } = await task.process(new Map([[program.sources[0]!.id, batch]]));
    parts.push(...rows.map(({ frame }) => frame));
    start += batch.height;
    if (turn % 2 === 0) await stores.takeChanges();
    if (turn % 4 === 0) task = await program.open(stores.open);
  }
  return parts.length === 1 ? parts[0]! : polars.concat(parts.slice(1));
}

for (const keys of KEYS)
  test(`the row before, over ${keys.join(", ")}: as Polars has it, also where changes are taken now and then (seed ${seed})`, async () => {
    const before = phones.withColumns(long);
    const columns = [
      x
        .diff(1, "ignore")
        .over(...keys)
        .alias("dx"),
      x
        .shift(1)
        .over(...keys)
        .alias("x1"),
      i
        .diff(1, "ignore")
        .over(...keys)
        .alias("di"),
      i
        .shift(1)
        .over(...keys)
        .alias("i1"),
      j
        .diff(1, "ignore")
        .over(...keys)
        .alias("dj"),
      x
        .cast(pl.Float32)
        .plus(x.cast(pl.Float32))
        .shift(1)
        .over(...keys)
        .alias("f1"),
    ];
    const program = before.withColumns(...columns);
    await fc.assert(
      fc.asyncProperty(rows(80), splits, async (list, sizes) => {
        const all = frameOf(list);
        const wanted = all.withColumns(long).withColumns(...columns);
        assertFramesEqual(values((await run(program, all, { splits: sizes })).rows), wanted, "in memory");
        if (list.length > 0) assertFramesEqual(values(await runAsJob(program, all, sizes)), wanted, "as a job");
      }),
      { seed, numRuns: runs(8) },
    );
  });

test("the row before of more keys than are kept beside the store", async () => {
  const count = 250_000;
  const at = Float64Array.from({ length: count }, (_, row) => row);
  const list = polars.DataFrame([
    polars.Series(
      "device",
      Array.from({ length: count }, (_, row) => `device ${(row * 7919) % 90_000}`),
      polars.Utf8,
    ),
    polars.Series("t", at).cast(polars.Int64).cast(polars.Datetime("ms")),
    polars.Series("x", at),
  ]);
  const change = x.diff(1, "ignore").over("device").alias("dx");
  const made = await runAsJob(phones.withColumns(change), list, [100_000, 10_000, 1000, 30_000]);
  assertFramesEqual(values(made), list.withColumns(change), "many keys");
});
