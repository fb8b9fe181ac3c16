import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { Pace } from "../../../lib/run/notebook/pace.ts";

const rows = (task: string, ...times: number[]) => ({
  task,
  rows: pl.DataFrame({ _time: times.map((ms) => new Date(ms)) }).withColumns(pl.col("_time").cast(pl.Datetime("ms"))),
});
const shown = (due: ReturnType<Pace["due"]>) => due.map(({ task, rows }) => [task, rows.height]);

test("rows come out when their time has come, at ten times the speed", () => {
  const pace = new Pace(10);
  pace.hold([rows("a", 0, 1000, 500, 3000), rows("b", 100, 2000)]);
  assert.deepEqual(shown(pace.due(5000)), [["a", 1]]);
  assert.deepEqual(shown(pace.due(5010)), [["b", 1]]);
  assert.deepEqual(shown(pace.due(5100)), [["a", 2]]); // the late one is not held back
  assert.equal(pace.waiting, true);
  assert.deepEqual(shown(pace.due(5300)), [
    ["a", 1],
    ["b", 1],
  ]);
  assert.equal(pace.waiting, false);
});

test("what is held comes out at once when the pace is given up", () => {
  const pace = new Pace(0.1);
  pace.hold([rows("a", 0, 1000, 2000)]);
  pace.due(0);
  assert.deepEqual(shown(pace.rest()), [["a", 2]]);
  assert.equal(pace.waiting, false);
});

test("a speed outside 0.1 to 100 is refused", () => {
  for (const speed of [0, -1, 101, Number.NaN]) assert.throws(() => new Pace(speed), { code: "BAD_SPEED" });
});
