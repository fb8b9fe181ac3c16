import type { Numbers, Values } from "./format.ts";

/** The first upper half of integers that a double does not hold exactly. */
const UPPER = 2 ** 21;
const HALF = 2 ** 32;

/** Integers of 64 bits, all of them small enough for a double, as they lie in memory; and the least and the greatest of them. */
export class Longs {
  readonly length: number;
  readonly least: number;
  readonly greatest: number;
  readonly #halves: Int32Array;
  #doubles: Float64Array | undefined;

  private constructor(halves: Int32Array, least: number, greatest: number) {
    this.length = halves.length / 2;
    this.#halves = halves;
    this.least = least;
    this.greatest = greatest;
  }

  /** Undefined where one is beyond what a double holds exactly. */
  static of({ buffer, byteOffset, length }: BigInt64Array): Longs | undefined {
    const halves = new Int32Array(buffer, byteOffset, 2 * length);
    const upper = length === 0 ? 0 : halves[1]!;
    let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let at = 0;
    // mostly all have the same upper half
    for (; at < halves.length && halves[at + 1] === upper; at += 2) {
      const lower = halves[at]! >>> 0;
      if (lower < least) least = lower;
      if (lower > greatest) greatest = lower;
    }
    least += upper * HALF;
    greatest += upper * HALF;
    for (; at < halves.length; at += 2) {
      const value = halves[at + 1]! * HALF + (halves[at]! >>> 0);
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
    if (length > 0 && !(least > -UPPER * HALF && greatest < UPPER * HALF)) return undefined;
    return new Longs(halves, least, greatest);
  }

  get doubles(): Float64Array {
    if (this.#doubles !== undefined) return this.#doubles;
    const doubles = new Float64Array(this.length);
    for (let i = 0, at = 0; i < doubles.length; i++, at += 2)
      doubles[i] = this.#halves[at + 1]! * HALF + (this.#halves[at]! >>> 0);
    this.#doubles = doubles;
    return doubles;
  }
}

/** As doubles, where they are integers of 64 bits. */
export function numbersOf(values: Values): Numbers {
  return values instanceof Longs ? values.doubles : values;
}
