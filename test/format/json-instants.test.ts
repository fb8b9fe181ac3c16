import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { jsonFormat } from "../../lib/format/index.ts";

const FORMS = { ms: "%Y-%m-%dT%H:%M:%S%.3fZ", us: "%Y-%m-%dT%H:%M:%S%.6fZ" } as const;
const PER_DAY = { ms: 86_400e3, us: 86_400e6 } as const;

function texts(frame: pl.DataFrame): unknown[] {
  const { bytes, starts, ends } = jsonFormat.encode(frame, frame.columns);
  return Array.from(starts, (start, row) => JSON.parse(Buffer.from(bytes.subarray(start, ends[row])).toString()));
}

test("instants and dates are written as Polars writes them, before 1970 and beside nulls and texts that look like them", () => {
  const day = fc.integer({ min: -719_528, max: 2_932_896 });
  const cell = (perDay: number) =>
    fc.option(fc.tuple(day, fc.integer({ min: 0, max: perDay - 1 })).map(([d, rest]) => d * perDay + rest));
  const seed = Date.now() % 1e9;
  fc.assert(
    fc.property(
      fc
        .constantFrom("ms" as const, "us" as const)
        .chain((unit) =>
          fc.tuple(
            fc.constant(unit),
            fc.array(
              fc.tuple(
                cell(PER_DAY[unit]),
                cell(1),
                fc.constantFrom(null, 'd":"0000-00-00', '"t":"0000-00-00T00:00:00.000Z"', "é"),
              ),
              { minLength: 1, maxLength: 40 },
            ),
          ),
        ),
      ([unit, rows]) => {
        const frame = pl.DataFrame([
          pl.Series(
            "s",
            rows.map((row) => row[2]),
            pl.Utf8,
          ),
          pl
            .Series(
              "t",
              rows.map((row) => row[0]),
              pl.Float64,
            )
            .cast(pl.Int64)
            .cast(pl.Datetime(unit)),
          pl
            .Series(
              "d",
              rows.map((row) => row[1]),
              pl.Float64,
            )
            .cast(pl.Int32)
            .cast(pl.Date),
        ]);
        const expected = frame
          .select(pl.col("s"), pl.col("t").dt.strftime(FORMS[unit]), pl.col("d").dt.strftime("%Y-%m-%d"))
          .toRecords();
        assert.deepEqual(texts(frame), expected);
      },
    ),
    { seed, numRuns: 100 },
  );
});

test("beyond the year 9999 and beside lists, instants are Polars' own", () => {
  const late = pl
    .DataFrame({ t: [253_402_300_800_000] })
    .withColumns(pl.col("t").cast(pl.Int64).cast(pl.Datetime("ms")));
  assert.deepEqual(texts(late), [{ t: "+10000-01-01T00:00:00.000Z" }]);
  const beside = pl
    .DataFrame([pl.Series("l", [["x"]]), pl.Series("t", [1000])])
    .withColumns(pl.col("t").cast(pl.Int64).cast(pl.Datetime("ms")));
  assert.deepEqual(texts(beside), [{ l: ["x"], t: "1970-01-01T00:00:01.000Z" }]);
});
