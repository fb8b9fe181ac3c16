import assert from "node:assert/strict";
import test from "node:test";
import { pl, topic } from "../../../lib/index.ts";
import { planJob } from "../../../lib/run/job/job-plan.ts";
import { OrderedInputs } from "../../../lib/run/job/ordered-inputs.ts";
import { PartitionTask } from "../../../lib/run/job/partition-task.ts";
import { PLACED_STORE, type PlacedPosition, readPlaced, writePlaced } from "../../../lib/run/job/placed-store.ts";
import type { WorkerContext } from "../../../lib/run/job/worker.ts";
import { PartitionStores } from "../../../lib/state/partition-stores.ts";
import { StateMemory } from "../../../lib/state/state-memory.ts";

test("a sent record that was begun before the task was opened is begun still at a checkpoint before it comes again", async () => {
  const sink = topic("in", { key: "device", time: "at" })
    .withColumns(pl.col("n").modulo(5).cast(pl.Int64).alias("bucket"))
    .withColumns(pl.col("n").diff(1, "ignore").over("bucket").alias("delta"))
    .to("out", { key: "bucket" });
  const plan = planJob([sink.node], { in: { device: "Utf8", at: "Datetime(ms)", n: "Float64" } });
  const [repartition] = plan.program.repartitions;
  const input = repartition!.id;
  const context = {
    plan,
    cluster: { listOffsets: async () => new Map() },
    settings: {},
    topics: {
      bySource: new Map(plan.inputs.map(({ source }) => [source.id, ["in"]])),
      external: ["in"],
      repartitions: new Map([[input, "sent"]]),
      partitions: 3,
    },
    // nothing is told here: the task has not come further than it had said
    io: { begin() {}, transactional: { send: async () => {} } },
  } as unknown as WorkerContext;
  const stores = new PartitionStores(plan.stores, new StateMemory(2 ** 30), () => undefined as never); // all is in memory
  const offsets = new Map([
    ["in", 10],
    ["sent", 5],
  ]);
  const task = new PartitionTask(0, await plan.program.open((spec) => stores.get(spec.name)), stores, offsets, {});
  const held = (sender: number, offset: number, row: number): PlacedPosition => ({
    input,
    sender,
    offset,
    row,
    reached: 1000,
    over: undefined,
  });
  const before = [held(0, 5, 3), held(1, 7, 2), held(2, 5, 0)];
  await writePlaced(stores.get(PLACED_STORE.name), before);

  const inputs = await OrderedInputs.open(context, task, undefined);
  await inputs.advance(Date.now());
  await inputs.settle();
  const after = (await readPlaced(stores.get(PLACED_STORE.name))).sort((a, b) => a.sender - b.sender);
  assert.deepEqual(
    after.map(({ sender, offset, row }) => ({ sender, offset, row })),
    before.map(({ sender, offset, row }) => ({ sender, offset, row })),
  );
  assert.equal(task.offsets.get("sent"), 5);
});
