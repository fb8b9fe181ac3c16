import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import {
  FIRST_VIEW,
  type FrameView,
  frameWindow,
  viewFrom,
} from "../../../../lib/run/notebook/front-end/frame-window.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const frame = pl
  .DataFrame({
    device: ["a", "b", "a", "ü.*", null, "b"],
    n: pl.Series("n", [3, 1, null, 5, 4, 2], pl.Float64),
    time: [0, 1, 2, 3, 4, 5].map(at),
    flag: [true, false, true, null, true, false],
  })
  .withColumns(pl.col("time").cast(pl.Datetime("ms")));

const rowsOf = (view: Partial<FrameView>, key?: string) =>
  frameWindow(frame, { ...FIRST_VIEW, ...view }, key)
    .rows.getColumn("n")
    .toArray();
const filter = (column: string, op: any, value: string) => ({ filters: [{ column, op, value }] });

test("a view arranges and filters rows", () => {
  const table: [Partial<FrameView>, (number | null)[]][] = [
    [{}, [3, 1, null, 5, 4, 2]],
    [{ mode: "last", last: 2 }, [4, 2]],
    [{ mode: "latest" }, [null, 5, 4, 2]],
    [{ sort: { column: "n", descending: false } }, [1, 2, 3, 4, 5, null]],
    [{ sort: { column: "n", descending: true } }, [5, 4, 3, 2, 1, null]],
    [filter("n", ">=", "3"), [3, 5, 4]],
    [filter("n", "=", "3.0"), [3]],
    [filter("device", "contains", "A"), [3, null]],
    [filter("device", "contains", ".*"), [5]],
    [filter("device", "!=", "a"), [1, 5, 2]],
    [filter("time", ">", "2026-01-01T00:00:03"), [4, 2]],
    [filter("flag", "=", "true"), [3, null, 4]],
    [filter("gone", "=", "1"), [3, 1, null, 5, 4, 2]],
    [{ from: 1, count: 2, follow: false }, [1, null]],
    [{ from: 100, count: 2, follow: false }, [4, 2]],
    [{ count: 2 }, [4, 2]],
  ];
  for (const [view, expected] of table) assert.deepEqual(rowsOf(view, "device"), expected, JSON.stringify(view));
});

test("only the columns on screen are sent, and all are named", () => {
  const keyed = frameWindow(frame, { ...FIRST_VIEW, mode: "latest", columnFrom: 1, columnCount: 2 }, frame.columns[0]);
  assert.deepEqual([keyed.columnCount, keyed.rows.columns.at(-1)], [2, frame.columns[0]], "the key comes along");
  const window = frameWindow(frame, { ...FIRST_VIEW, columnFrom: 1, columnCount: 2 }, undefined);
  assert.deepEqual(window.rows.columns, ["n", "time"]);
  assert.deepEqual(
    window.columns.map(({ name }) => name),
    ["device", "n", "time", "flag"],
  );
});

test("what a front end sends is checked", () => {
  const view = viewFrom(
    {
      mode: "weird",
      from: -5,
      count: 1e9,
      sort: { column: 7 },
      filters: [{ column: "n", op: "drop table", value: "1" }, 3],
    },
    FIRST_VIEW,
  );
  assert.deepEqual({ ...view, count: 0 }, { ...FIRST_VIEW, count: 0 });
  assert.equal(frameWindow(frame, view, undefined).rows.height, 6);
  assert.deepEqual(viewFrom("no view", FIRST_VIEW), FIRST_VIEW);
});

test("long texts and lists are cut off: what is on screen stays small", () => {
  const long = pl.DataFrame({
    text: ["ü".repeat(1_000_000), "short", null, "é".repeat(500)],
    list: [Array.from({ length: 10_000 }, (_, i) => i), [1], [], null],
  });
  const { rows } = frameWindow(long, FIRST_VIEW, undefined);
  assert.deepEqual(rows.getColumn("text").toArray(), [`${"ü".repeat(500)}…`, "short", null, "é".repeat(500)]);
  assert.equal((rows.getColumn("list").toArray() as any[])[0].length, 50);
  assert.ok(rows.writeIPCStream().length < 10_000);
});
