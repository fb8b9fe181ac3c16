import pl from "nodejs-polars";
import { KnownTexts } from "../polars/known-texts.ts";
import { textViews } from "../polars/text-views.ts";

/** Numbers of one key column's values. */
interface Values {
  /** How many different ones there are. */
  readonly size: number;
  /** Of each row; undefined where they cannot be told. */
  number(column: pl.DataFrame): Uint32Array | undefined;
  /** The values with these numbers. */
  series(name: string, numbers: Uint32Array): pl.Series;
}

/** So many numbers of a column fit beside those of another in an integer that a double holds. */
const FITS = 2 ** 26;

/** Numbers for the keys of rows: equal keys have one, a new one has the next. */
export class KeyNumbers {
  readonly #columns: readonly Values[];
  /** Of keys of several columns: the number of the first ones and of the next -> the number of both. */
  readonly #pairs: readonly Map<number, number>[];
  /** Of keys of several columns: of each pair, by its number, the two numbers it is made of. */
  readonly #made: readonly (readonly [number[], number[]])[];

  /** @param dtypes of the key columns, each with {@link KeyNumbers.takes} */
  constructor(dtypes: readonly string[]) {
    this.#columns = dtypes.map((dtype) => (dtype === "Utf8" ? new Texts() : new Integers()));
    this.#pairs = dtypes.slice(1).map(() => new Map());
    this.#made = dtypes.slice(1).map(() => [[], []]);
  }

  static takes(dtype: string): boolean {
    return dtype === "Utf8" || dtype === "Int64" || dtype === "Int32";
  }

  /** How many different keys there are. */
  get size(): number {
    return this.#pairs.at(-1)?.size ?? this.#columns[0]!.size;
  }

  /** The number of each row's key; undefined where one has a null. @param keys the key columns */
  of(keys: pl.DataFrame): Uint32Array | undefined {
    let numbers: Uint32Array | undefined;
    for (const [place, name] of keys.columns.entries()) {
      const column = keys.getColumn(name);
      if (column.nullCount() > 0) return undefined;
      const next = this.#columns[place]!.number(keys.select(name));
      if (next === undefined) return undefined;
      numbers = numbers === undefined ? next : this.#paired(place - 1, numbers, next);
    }
    return numbers;
  }

  /** The key columns of these numbers. */
  columns(names: readonly string[], numbers: Uint32Array): pl.Series[] {
    const columns: pl.Series[] = [];
    let first = numbers;
    for (let place = names.length - 1; place > 0; place--) {
      const [before, own] = this.#made[place - 1]!;
      columns.unshift(
        this.#columns[place]!.series(
          names[place]!,
          first.map((number) => own[number]!),
        ),
      );
      first = first.map((number) => before[number]!);
    }
    return [this.#columns[0]!.series(names[0]!, first), ...columns];
  }

  #paired(place: number, first: Uint32Array, second: Uint32Array): Uint32Array {
    const pairs = this.#pairs[place]!;
    const [firsts, seconds] = this.#made[place]!;
    return first.map((one, row) => {
      const other = second[row]!;
      const pair = one * FITS + other;
      let number = pairs.get(pair);
      if (number === undefined) {
        number = pairs.size;
        pairs.set(pair, number);
        firsts.push(one);
        seconds.push(other);
      }
      return number;
    });
  }
}

class Texts implements Values {
  readonly #known = new KnownTexts();

  get size(): number {
    return this.#known.texts.length;
  }

  number(column: pl.DataFrame): Uint32Array | undefined {
    const numbers = new Uint32Array(column.height);
    const chunks = textViews(column);
    if (chunks === undefined) return undefined;
    let done = 0;
    for (const chunk of chunks) {
      this.#known.number(chunk, 0, numbers.subarray(done, done + chunk.rows));
      done += chunk.rows;
    }
    return done === numbers.length ? numbers : undefined;
  }

  series(name: string, numbers: Uint32Array): pl.Series {
    return pl.Series(
      name,
      Array.from(numbers, (number) => this.#known.texts[number]!),
      pl.Utf8,
    );
  }
}

class Integers implements Values {
  readonly #numbers = new Map<number | bigint, number>();
  readonly #values: (number | bigint)[] = [];
  #dtype: typeof BigInt64Array | typeof Int32Array = Int32Array;

  get size(): number {
    return this.#values.length;
  }

  number(column: pl.DataFrame): Uint32Array {
    const values = column.getColumn(column.columns[0]!).toTypedArray() as BigInt64Array | Int32Array;
    this.#dtype = values.constructor as typeof BigInt64Array | typeof Int32Array;
    const numbers = new Uint32Array(values.length);
    for (let row = 0; row < values.length; row++) {
      const value = values[row]!;
      let number = this.#numbers.get(value);
      if (number === undefined) {
        number = this.#values.length;
        this.#numbers.set(value, number);
        this.#values.push(value);
      }
      numbers[row] = number;
    }
    return numbers;
  }

  series(name: string, numbers: Uint32Array): pl.Series {
    const values = Array.from(numbers, (number) => this.#values[number]!);
    return pl.Series(
      name,
      this.#dtype === BigInt64Array ? BigInt64Array.from(values as bigint[]) : Int32Array.from(values as number[]),
    );
  }
}
