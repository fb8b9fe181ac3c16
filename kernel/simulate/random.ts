/** Seeded random numbers (xorshift32): the same seed gives the same sequence on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed | 0, 0x9e3779b1) || 1;
    for (let i = 0; i < 8; i++) this.uniform();
  }

  /** In [0, 1). */
  uniform(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** About normal, mean 0, standard deviation 1. */
  normal(): number {
    return (this.uniform() + this.uniform() + this.uniform() - 1.5) * 2;
  }
}
