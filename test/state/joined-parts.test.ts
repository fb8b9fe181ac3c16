import assert from "node:assert/strict";
import test from "node:test";
import pl from "nodejs-polars";
import { joinedParts } from "../../lib/state/duckdb/joined-parts.ts";

const part = (partition: number, height: number) => ({
  partition,
  rows: pl.DataFrame({ row: Array.from({ length: height }, (_, i) => `${partition}.${i}`) }),
});
const shown = (parts: ReturnType<typeof part>[], most: number) =>
  joinedParts(parts, most).map(({ rows, partitions }) =>
    partitions.toArray().map((partition, i) => `${partition}:${rows.getColumn("row").get(i)}`),
  );

test("small parts are joined, each row beside its partition; large ones are cut; empty ones are left out", () => {
  assert.deepEqual(shown([part(4, 1), part(7, 0), part(5, 2), part(6, 1), part(8, 4), part(9, 1)], 3), [
    ["4:4.0", "5:5.0", "5:5.1"],
    ["6:6.0"],
    ["8:8.0", "8:8.1", "8:8.2"],
    ["8:8.3", "9:9.0"],
  ]);
  assert.deepEqual(shown([part(1, 0)], 3), []);
});
