import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { FIRST_VIEW, followedWindow, frameWindow } from "../../../lib/run/notebook/front-end/frame-window.ts";
import { RecentRows } from "../../../lib/run/notebook/recent-rows.ts";
import { newSeed, seeded } from "../../support/seeded.ts";

/** Rows of one task, with event times that do not rise. */
function rowsAt(times: readonly number[], first: number): pl.DataFrame {
  return pl
    .DataFrame({ n: times.map((_, i) => first + i), _time: times })
    .withColumns(pl.col("_time").cast(pl.Int64).cast(pl.Datetime("ms")));
}

test("what follows the last rows sees what all rows in order end with", () => {
  const seed = newSeed();
  const random = seeded(seed);
  const below = (most: number) => Math.floor(random() * most);
  const columns = [{ name: "n", dtype: "Float64" }];
  for (let round = 0; round < 8; round++) {
    const keep = 1 + below(60);
    const empty = rowsAt([0], 0).head(0);
    const [followed, ordered] = [0, 1].map(() => new RecentRows(keep, empty, ["0", "1", "2"])) as [
      RecentRows,
      RecentRows,
    ];
    for (let batch = 0, n = 0; batch < 30; batch++) {
      const times = Array.from({ length: 1 + below(12) }, () => below(50));
      const read = [{ task: String(below(3)), rows: rowsAt(times, n) }];
      n += times.length;
      followed.add(read);
      ordered.add(read);
      const view = {
        ...FIRST_VIEW,
        count: 1 + below(20),
        mode: below(2) === 0 ? ("append" as const) : ("last" as const),
        last: 1 + below(30),
      };
      const wanted = frameWindow(ordered.frame().select("n"), view, undefined);
      const got = followedWindow((count) => followed.latest(count), followed.height, columns, view);
      assert.deepEqual(got.rows.getColumn("n").toArray(), wanted.rows.getColumn("n").toArray(), `seed ${seed}`);
      assert.deepEqual([got.from, got.total], [wanted.from, wanted.total], `seed ${seed}`);
    }
  }
});
