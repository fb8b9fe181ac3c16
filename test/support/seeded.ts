import { randomInt } from "node:crypto";

/** The seed of random tests, told by them so that a failure can be repeated with `MILLRACE_SEED`. */
export function newSeed(): number {
  return Number(process.env.MILLRACE_SEED ?? randomInt(2 ** 31));
}

/** Random numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
