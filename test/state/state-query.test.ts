import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import pl from "nodejs-polars";
import { StateFile } from "../../lib/state/duckdb/state-file.ts";
import { queryState } from "../../lib/state/duckdb/state-query.ts";

test("SQL over state: one statement that reads, within its limits, and no other file", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-query-"));
  const file = await StateFile.open({
    folder,
    owner: { job: "job", fingerprint: "f" },
    stores: [{ name: "counts", key: ["device"], schema: { device: "Utf8", n: "Int64" } }],
  });
  const connection = await file.connect();
  try {
    const ask = (sql: string, rows = 100, time = 5000) => queryState(connection, sql, { rows, time });
    assert.deepEqual(await ask("SELECT 1 AS small, 9007199254740993 AS large, NULL AS nothing"), {
      columns: ["small", "large", "nothing"],
      types: ["INTEGER", "BIGINT", "INTEGER"],
      rows: [[1, "9007199254740993", null]],
      truncated: false,
    });
    const cut = await ask("SELECT * FROM range(1000)", 10);
    assert.deepEqual([cut.rows.length, cut.truncated], [10, true]);
    const refusals: [string, string][] = [
      ["DROP TABLE counts", "NOT_READ_ONLY"],
      ["DELETE FROM counts", "NOT_READ_ONLY"],
      ["SELECT 1; SELECT 2", "NOT_READ_ONLY"],
      ["SET threads = 1", "NOT_READ_ONLY"],
      ["SELECT * FROM read_text('/etc/hostname')", "BAD_SQL"],
      ["SELECT nonsense", "BAD_SQL"],
    ];
    for (const [sql, code] of refusals) await assert.rejects(ask(sql), { code }, sql);
    await assert.rejects(ask("SELECT sum(a.range * b.range) FROM range(3000000) a, range(1000000) b", 10, 200), {
      code: "STATE_QUERY_TOO_LONG",
    });
    assert.equal((await ask("SELECT count(*) FROM counts")).rows[0]?.[0], 0, "the connection is good for more");
  } finally {
    connection.closeSync();
    await file.close();
    await rm(folder, { recursive: true });
  }
});

test("SQL sees partitions that stand at offsets: no copies of others' state, no half-done restore", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-query-"));
  const spec = { name: "counts", key: ["device"], schema: { device: "Utf8", n: "Int64" } } as const;
  const file = await StateFile.open({ folder, owner: { job: "job", fingerprint: "f" }, stores: [spec] });
  const connection = await file.connect();
  try {
    const rows = (partition: number) => {
      const upserted = pl
        .DataFrame({ device: [`d${partition}`], n: [partition] })
        .withColumns(pl.col("n").cast(pl.Int64));
      return new Map([["counts", { upserted, removed: upserted.select("device").head(0) }]]);
    };
    const position = (offsets: Record<string, number>) => ({ offsets, changelog: {}, watermark: Number.NaN, at: 0 });
    await file.commit([
      { partition: 0, position: position({ topic: 1 }), changes: rows(0) },
      { partition: 1, position: position({ topic: 1 }), changes: rows(1) },
      { partition: 2, position: position({}), changes: rows(2) },
      { partition: 3, changes: rows(3) },
    ]);
    const seen = async (sql = "SELECT device FROM counts ORDER BY ALL") =>
      (await queryState(connection, sql)).rows.flat().join();
    assert.equal(await seen(), "d0,d1");
    await file.setAside(0);
    assert.equal(await seen(), "d1");
    assert.equal(await seen("SELECT count(*) FROM counts c JOIN counts d USING (device)"), "1");
    await file.commit([{ partition: 2, position: position({ topic: 5 }), changes: new Map() }]);
    assert.equal(await seen(), "d1,d2");
    for (const partition of [0, 3]) await file.drop(partition);
    assert.equal(
      await seen("SELECT table_type FROM information_schema.tables WHERE table_name = 'counts'"),
      "BASE TABLE",
    );
  } finally {
    connection.closeSync();
    await file.close();
    await rm(folder, { recursive: true, force: true });
  }
});
