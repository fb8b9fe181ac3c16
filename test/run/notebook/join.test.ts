import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { concat, pl, table, topic } from "../../../lib/index.ts";
import { readings, testTopics } from "./topics.ts";

const { create, write } = await testTopics();
const START = Date.UTC(2026, 0, 1);
const plain = (records: ReturnType<typeof readings>) =>
  polars
    .readRecords(records.map(({ key, value }) => ({ device: key!, ...JSON.parse(value!) })))
    .withColumns(polars.col("timestamp").cast(polars.Int64).cast(polars.Datetime("ms")));

test("collect of joins over topics equals static Polars over the same records", async () => {
  const [left, right] = [await create("trades"), await create("quotes")];
  const [l, r] = [readings(600), readings(600, 3, START - 45)];
  await write(left, l);
  await write(right, r);
  const [trades, quotes] = [left, right].map((name) => topic(name, { key: "device", time: "timestamp" }));
  const narrow = ["device", "timestamp", "gForceX"] as const;
  const sorted = (frame: polars.DataFrame) => frame.sort(["device", "timestamp"]).toRecords();

  const nearest = await trades!.joinAsof(quotes!.select(...narrow), { on: "timestamp", by: "device" }).collect();
  const [ls, rs] = [plain(l), plain(r).select(...narrow)];
  const columns = nearest.columns;
  assert.deepEqual(
    sorted(nearest),
    sorted(ls.joinAsof(rs, { on: "timestamp", by: "device", checkSortedness: false }).select(...columns)),
  );

  const pairs = await trades!.join(quotes!.select(...narrow), { on: "device", within: "60ms" }).collect();
  const apart = pl.col("timestamp_right").cast(pl.Int64).minus(pl.col("timestamp").cast(pl.Int64)).abs();
  const expected = (ls.join(rs, { on: "device" }) as polars.DataFrame).filter(apart.ltEq(pl.lit(60)));
  assert.ok(pairs.height > 0);
  assert.deepEqual(
    pairs.sort(["device", "timestamp", "timestamp_right"]).toRecords(),
    expected
      .select(...pairs.columns)
      .sort(["device", "timestamp", "timestamp_right"])
      .toRecords(),
  );

  const both = await concat(trades!.select(...narrow), quotes!.select(...narrow)).collect();
  assert.deepEqual(
    both.sort(["device", "timestamp", "gForceX"]).toRecords(),
    polars
      .concat([ls.select(...narrow), rs])
      .sort(["device", "timestamp", "gForceX"])
      .toRecords(),
  );
});

test("a table shows its newest rows, without those that tombstones deleted, and is seen at event time", async () => {
  const [phones, devices] = [await create("phones"), await create("devices")];
  const change = (key: string, at: number, model: string | null) => ({
    key,
    value: model === null ? null : JSON.stringify({ model, since: START + at }),
    timestamp: START + at,
  });
  await write(devices, [
    change("phone-1", 0, "old"),
    change("phone-2", 0, "small"),
    change("phone-1", 500, "new"),
    change("phone-2", 700, null),
  ]);
  const reading = (key: string, at: number) => ({
    key,
    value: JSON.stringify({ timestamp: START + at }),
    timestamp: START + at,
  });
  await write(phones, [
    reading("phone-1", 100),
    reading("phone-2", 600),
    reading("phone-1", 800),
    reading("phone-2", 900),
  ]);
  const known = table(devices, { key: "device" });
  assert.deepEqual((await known.collect()).select("device", "model").toRecords(), [
    { device: "phone-1", model: "new" },
  ]);
  const joined = await topic(phones, { key: "device", time: "timestamp" })
    .join(known, { on: "device", how: "left" })
    .select("device", "model")
    .collect();
  assert.deepEqual(joined.toRecords(), [
    { device: "phone-1", model: "old" },
    { device: "phone-2", model: "small" },
    { device: "phone-1", model: "new" },
    { device: "phone-2", model: null },
  ]);
});
