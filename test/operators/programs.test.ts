import { test } from "node:test";
import fc from "fast-check";
import type polars from "nodejs-polars";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

/** A verb, for a frame of either kind: both have it under the same name and with the same arguments. */
interface Verb {
  readonly text: string;
  apply<F extends StreamFrame | polars.DataFrame>(frame: F): F;
}

const NUMBERS = ["x", "y", "i", "j"];
const number = fc.constantFrom(...NUMBERS).map((name) => pl.col(name).cast(pl.Float64));
const size = fc.integer({ min: 1, max: 5 });

/** Calls that keep state, with an argument kept small: products of products leave no digits to compare. */
const stateful = (argument: fc.Arbitrary<polars.Expr>): fc.Arbitrary<polars.Expr> =>
  fc
    .tuple(
      argument,
      size,
      fc.constantFrom(
        "shift",
        "diff",
        "cumSum",
        "cumMax",
        "cumMin",
        "cumCount",
        "forwardFill",
        "rollingMax",
        "rollingMean",
      ),
    )
    .map(([of, n, method]) => {
      const bounded = of.clip(-1e4, 1e4);
      switch (method) {
        case "shift":
          return bounded.shift(n);
        case "diff":
          return bounded.diff(n, "ignore");
        case "rollingMax":
        case "rollingMean":
          return bounded[method]({ windowSize: n, minPeriods: 1 });
        default:
          return bounded[method as "cumSum"]().cast(pl.Float64);
      }
    });

const rowWise = (part: fc.Arbitrary<polars.Expr>): fc.Arbitrary<polars.Expr> =>
  fc.oneof(
    part,
    part.map((a) => a.abs()),
    fc.tuple(part, part).map(([a, b]) => a.plus(b)),
    fc.tuple(part, part).map(([a, b]) => a.minus(b)),
    fc.tuple(part, part, part).map(([a, b, c]) => pl.when(a.gt(b)).then(c).otherwise(b)),
    part.map((a) => a.fillNull(pl.lit(1.5))),
  );

/** State of state, rows of state, state of rows: all under one key. */
const perKey = fc
  .oneof(stateful(rowWise(number)), stateful(stateful(number)), rowWise(stateful(number)))
  .chain((expr) => fc.constantFrom(["device"], ["device", "b"]).map(([first, ...rest]) => expr.over(first!, ...rest)));
const expression = rowWise(fc.oneof(number, perKey));

const verb: fc.Arbitrary<Verb> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(expression, fc.constantFrom(...NUMBERS, "z")).map(([expr, name]): Verb => {
      const column = expr.alias(name);
      return { text: `withColumns ${column}`, apply: (frame) => (frame as any).withColumns(column) };
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(expression, expression).map(([a, b]): Verb => {
      const predicate = a.gtEq(b);
      return { text: `filter ${predicate}`, apply: (frame) => (frame as any).filter(predicate) };
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Verb>({
      text: "select and rename back",
      apply: (frame) =>
        (frame as any)
          .select("device", "b", pl.all().exclude("device", "b", "d").prefix("p_"), pl.col("d"))
          .rename({ p_x: "x", p_y: "y", p_i: "i", p_j: "j" }),
    }),
  },
);

// a select renames t and s too, so that it is done once at most
const program = fc
  .array(verb, { minLength: 1, maxLength: 4 })
  .filter((verbs) => verbs.filter(({ text }) => text.startsWith("select")).length < 2);

const phones = topic("phones", { key: "device", time: "t" });

test(`random programs equal static Polars, however the rows are split (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(program, rows(40), splits, fc.boolean(), async (verbs, list, sizes, reopen) => {
      const frame = frameOf(list);
      const expected = verbs.reduce((before, { apply }) => apply(before), frame);
      const actual = await run(
        verbs.reduce((before, { apply }) => apply(before), phones),
        frame,
        { splits: sizes, reopen },
      );
      assertFramesEqual(values(actual.rows), expected, verbs.map(({ text }) => text).join(" | "));
    }),
    { seed, numRuns: runs(14) },
  );
});
