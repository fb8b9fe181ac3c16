import type polars from "nodejs-polars";
import { pl } from "../../../lib/plan/pl.ts";
import type { Dice } from "./dice.ts";

/** What an expression gives, as far as the choice of the next call goes. */
export type Kind = "number" | "text" | "flag" | "time";
/** Columns by what they hold. */
export type Columns = Readonly<Record<Kind, readonly string[]>>;

type Make = (dice: Dice) => polars.Expr;

const N = { windowSize: 3, minPeriods: 1 };
const FORMAT = "%Y-%m-%d %H:%M";

/** Expressions over columns, row by row; with `keys` also with state per key. */
export class Expressions {
  readonly #columns: Columns;
  readonly #keys: readonly polars.Expr[][];

  constructor(columns: Columns, keys: readonly polars.Expr[][] = []) {
    this.#columns = columns;
    this.#keys = keys;
  }

  any(dice: Dice, depth: number): polars.Expr {
    return this.of(dice.pick(["number", "number", "text", "flag", "time"] as const), dice, depth);
  }

  of(kind: Kind, dice: Dice, depth: number): polars.Expr {
    if (this.#keys.length > 0 && depth > 0 && dice.chance(0.35)) return this.#perKey(kind, dice, depth);
    return this.#plain(kind, dice, depth);
  }

  /** State of state, rows of state, state of rows: all under one list of keys. */
  #perKey(kind: Kind, dice: Dice, depth: number): polars.Expr {
    const inner = new Inner(this.#columns);
    const [first, ...rest] = dice.pick(this.#keys);
    return inner.of(kind, dice, depth).over(first!, ...rest);
  }

  #plain(kind: Kind, dice: Dice, depth: number): polars.Expr {
    if (depth <= 0 || dice.chance(0.15)) return this.leaf(kind, dice);
    const deeper = depth - 1;
    const number = () => this.of("number", dice, deeper);
    const text = () => this.of("text", dice, deeper);
    const flag = () => this.of("flag", dice, deeper);
    const time = () => this.of("time", dice, deeper);
    const same = () => this.of(kind, dice, deeper);
    const shared: Make[] = [
      () => pl.when(flag()).then(same()).otherwise(same()),
      () => same().fillNull(this.leaf(kind, dice)),
      () => pl.concatList([same(), same()]).list.get(dice.int(0, 1)),
      () => pl.struct([same().alias("p"), text().alias("q")]).struct.field("p"),
    ];
    const own: Record<Kind, readonly Make[]> = {
      number: [
        () => number().plus(number()),
        () => number().minus(number()),
        () => number().multiplyBy(number()),
        () => number().div(number()),
        () =>
          number()
            .round(3)
            .modulo(pl.lit(dice.pick([3, 0, -7]))),
        () => number().abs(),
        () => number().cast(dice.pick([pl.Int64, pl.Int32, pl.Float64, pl.Float32, pl.UInt8])),
        () => number().clip(-10, 10),
        () => number().round(dice.int(0, 3)),
        () => number().fillNan(pl.lit(0.5)),
        // Polars itself takes the number for text where something follows in the same query
        () => text().str.lengths().cast(pl.UInt32),
        () => text().cast(dice.pick([pl.Int64, pl.Float64])),
        () => time().dt.hour(),
        () => time().dt.weekday(),
        () => time().dt.year(),
        () => time().cast(pl.Int64),
        () => flag().cast(pl.Int32),
        () => pl.concatList([number().cast(pl.Float64), number().cast(pl.Float64)]).list.max(),
        () => pl.concatList([number(), number()]).list.sum(),
        () => text().str.split("-").list.lengths(),
        () => pl.sumHorizontal([number(), number()] as never) as unknown as polars.Expr,
        () => number().repeatBy(pl.lit(2)).list.first(),
        () => pl.lit(dice.pick([0, 1.5, -2, 3])),
      ],
      text: [
        () => text().str.toUpperCase(),
        () => text().str.strip(),
        () => text().str.slice(dice.int(-2, 1), dice.int(0, 3)),
        () => text().str.replaceAll("a", "*"),
        () => text().str.extract("(\\d+)", 1),
        () => text().str.padStart(6, "_"),
        () => text().str.split("-").list.first(),
        () => text().str.split(" ").list.join("+"),
        () => pl.concatString([text(), text()], "/"),
        () => number().round(3).cast(pl.Utf8),
        () => time().dt.strftime(FORMAT),
        () => flag().cast(pl.Utf8),
        () => pl.lit(dice.pick(["", "null", "lit"])),
        () => pl.format("{}:{}", text(), number().round(3)),
        () => pl.struct([text().alias("p"), number().round(3).alias("q")]).struct.jsonEncode(),
      ],
      flag: [
        () => number().gt(number()),
        () => number().ltEq(pl.lit(1)),
        () => number().eq(number()),
        () => text().eq(text()),
        () => text().str.contains("a"),
        () => text().str.startsWith("n"),
        () => text().isIn(["", "null", "12"]),
        () => number().isNull(),
        () => number().isNan(),
        () => time().gt(time()),
        () => flag().not(),
        () => flag().and(flag()),
        () => flag().or(flag()),
        () => pl.concatList([number(), number()]).list.contains(pl.lit(1)),
        () => pl.anyHorizontal([flag(), flag()] as never),
      ],
      time: [
        () => time().dt.truncate("1h"),
        () => time().dt.round("1d"),
        () => time().cast(pl.Datetime(dice.pick(["ms", "us", "ns"]))),
        () => text().str.strptime(pl.Datetime("ms"), "%Y-%m-%d"),
        () => pl.minHorizontal([time(), time()] as never),
      ],
    };
    return dice.pick(dice.chance(0.2) ? shared : own[kind])(dice);
  }

  leaf(kind: Kind, dice: Dice): polars.Expr {
    return pl.col(dice.pick(this.#columns[kind]));
  }
}

/** Inside an `over`: rows of a key, with state. */
class Inner extends Expressions {
  override of(kind: Kind, dice: Dice, depth: number): polars.Expr {
    if (depth <= 0 || dice.chance(0.4)) return super.of(kind, dice, depth);
    const self = this.of(kind, dice, depth - 1);
    const any: Make[] = [
      () => self.shift(dice.int(0, 3)),
      () => self.forwardFill(),
      () => self.first(),
      () => self.fillNull("forward", dice.int(1, 3)),
    ];
    const ordered: Make[] = [() => self.cumCount(), () => self.cumMax(), () => self.cumMin()];
    const number: Make[] = [
      () => self.diff(dice.int(1, 2), "ignore"),
      () => self.pctChange(dice.int(1, 2)),
      () => self.cumSum(),
      () => self.clip(-2, 2).cumProd(),
      () => self.clip(0, 100).rollingMean(N),
      () => self.clip(0, 200).rollingSum(dice.int(1, 4)),
      () => self.rollingMax({ windowSize: dice.int(1, 4), minPeriods: 1 }),
      () => self.rollingMin(2),
      () => self.clip(0, 100).rollingStd(3),
      () => self.rollingMedian(N),
      () => self.rollingQuantile(0.3, "linear", 3),
      () => self.clip(0, 250).ewmMean(0.4),
      () => self.shiftAndFill(1, 9),
    ];
    if (kind === "number") return dice.pick([...any, ...ordered, ...number, ...number])(dice);
    if (kind === "time") return dice.pick([...any, () => self.cumMax(), () => self.cumMin()])(dice);
    return dice.pick(any)(dice);
  }
}
