import assert from "node:assert/strict";
import { test } from "node:test";
import type { FetchedPartition } from "../../../lib/log/index.ts";
import { Rests } from "../../../lib/run/job/rests.ts";

const read = (nextOffset: number, lastStableOffset: number) => ({ nextOffset, lastStableOffset }) as FetchedPartition;
/** A batch that took 10 s, so that what this process does meanwhile does not count. */
const TOOK = 10_000;
const near = (value: number, wanted: number) => assert.ok(Math.abs(value - wanted) < 2000, `${value} is not ${wanted}`);

function after(fetched: readonly FetchedPartition[], use = true): Rests {
  const rests = new Rests(use);
  rests.worked(fetched, performance.now() - TOOK);
  return rests;
}

test("who has read all there is rests as long as the batch took, and is back a batch's time before the checkpoint", () => {
  near(after([read(5, 5), read(9, 9)]).left(100_000), TOOK);
  near(after([read(5, 5)]).left(TOOK + 4000), 4000);
  assert.equal(after([read(5, 5)]).left(TOOK / 2), 0);
});

test("where half a batch would not end in time, the checkpoint comes before", () => {
  near(after([read(5, 5)]).early, TOOK / 2);
});

test("nobody rests while there is more to read, or where rows are seen at once", () => {
  for (const rests of [after([read(5, 5), read(5, 6)]), after([]), after([read(5, 5)], false), new Rests(true)]) {
    assert.equal(rests.left(100_000), 0);
    assert.equal(rests.early, 0);
  }
});
