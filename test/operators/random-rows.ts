import fc from "fast-check";
import polars from "nodejs-polars";
import { dtypeOf, type Schema } from "../../lib/schema.ts";

/** How often random tests try; `MILLRACE_RUNS=10` tries ten times as often. */
export function runs(count: number): number {
  return Math.max(1, Math.round(count * Number(process.env.MILLRACE_RUNS ?? 1)));
}

/** The seed of random tests, printed so that a failure can be repeated with `MILLRACE_SEED`. */
export const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 1_000_000_000);

// a failure is told although making its example smaller would take hours
fc.configureGlobal({ interruptAfterTimeLimit: runs(120_000) });

export const SCHEMA: Schema = {
  device: "Utf8",
  t: "Datetime(ms)",
  x: "Float64",
  y: "Float64",
  i: "Int64",
  j: "Int32",
  s: "Utf8",
  b: "Boolean",
  d: "Datetime(ms)",
};

export interface Row {
  readonly device: string | null;
  readonly t: number;
  readonly x: number | null;
  readonly y: number | null;
  readonly i: number | null;
  readonly j: number | null;
  readonly s: string | null;
  readonly b: boolean | null;
  readonly d: number | null;
}

const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 6 });
const float = fc.oneof(
  { weight: 12, arbitrary: fc.double({ min: -1000, max: 1000, noNaN: true }) },
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);

/** Rows of few keys (unicode, sometimes null) whose times are often out of order. */
export const rows = (maxLength = 60): fc.Arbitrary<Row[]> =>
  fc
    .array(
      fc.record({
        device: fc.option(fc.constantFrom("a", "b", "ключ", "🚗", ""), { freq: 12 }),
        step: fc.integer({ min: -1500, max: 2500 }),
        x: orNull(float),
        y: orNull(float),
        i: orNull(fc.integer({ min: -1000, max: 1000 })),
        j: orNull(fc.integer({ min: -50, max: 50 })),
        s: orNull(fc.constantFrom("alpha", "Beta", " γ ", "", "42", "a-b")),
        b: orNull(fc.boolean()),
        d: orNull(fc.integer({ min: -1e12, max: 2e12 })),
      }),
      // fast-check keeps arrays at about ten items unless told otherwise
      { maxLength, size: "max" },
    )
    .map((list) => {
      let time = -2000;
      return list.map(({ step, ...row }) => {
        time += step;
        return { ...row, t: time };
      });
    });

/** Sizes of batches; zeros are empty batches. */
export const splits: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 1, max: 30 })),
  { maxLength: 12, size: "max" },
);

/** Rows as a frame of {@link SCHEMA}. */
export function frameOf(list: readonly Row[]): polars.DataFrame {
  const column = (name: keyof Row, dtype: string): polars.Series => {
    const cells = list.map((row) => row[name]);
    if (dtype === "Utf8" || dtype === "Boolean") return polars.Series(name, cells as string[], dtypeOf(dtype));
    return polars
      .Series(name, cells as number[], polars.Float64)
      .cast(dtype.startsWith("Datetime") ? polars.Int64 : dtypeOf(dtype))
      .cast(dtypeOf(dtype));
  };
  return polars.DataFrame(Object.entries(SCHEMA).map(([name, dtype]) => column(name as keyof Row, dtype)));
}

/** The largest time up to and with each row. */
export function clocks(list: readonly Row[]): number[] {
  let clock = Number.NEGATIVE_INFINITY;
  return list.map(({ t }) => {
    clock = Math.max(clock, t);
    return clock;
  });
}
