import type { RecordColumns } from "../../lib/log/index.ts";
import { defaults, names, type SimulateOptions } from "./options.ts";
import { Random } from "./random.ts";
import { RecordsBuilder } from "./records-builder.ts";

export interface SimulatePhoneOptions extends SimulateOptions {
  /** One row in about so many starts a crash; 5000 by default, 0 for none. */
  crashEvery?: number;
}

const CRASH_ROWS = 4;

/**
 * Phones that send their acceleration in g, key and field `device`: `{"device":"phone-00007","timestamp":1767225600070,"gForceX":0.012,
 * "gForceY":-0.034,"gForceZ":1.005}`. Lying still is 1 g in all; carried, it sways; a crash is a few rows of 3 to 9 g.
 */
export function* simulatePhone(options: SimulatePhoneOptions = {}): Generator<RecordColumns, void, undefined> {
  const { count, devices, start, rate, seed, batch } = defaults(options);
  const { crashEvery = 5000 } = options;
  const random = new Random(seed);
  const keys = names("phone-", devices, 5);
  const openings = keys.map((key) => Buffer.from(`{"device":"${key}","timestamp":`));
  const X = Buffer.from(',"gForceX":');
  const Y = Buffer.from(',"gForceY":');
  const Z = Buffer.from(',"gForceZ":');
  const CLOSE = Buffer.from("}");
  /** How much a phone is moved about: drifts between lying still and running. */
  const sway = new Float64Array(devices).fill(0.05);
  const crashing = new Uint8Array(devices);

  for (let row = 0; row < count; ) {
    const size = Math.min(batch, count - row);
    const builder = new RecordsBuilder(size, 112);
    for (let i = 0; i < size; i++, row++) {
      const device = row % devices;
      const time = start + Math.floor((row * 1000) / rate);
      if (crashing[device]! > 0) crashing[device]!--;
      else if (crashEvery > 0 && random.below(crashEvery) === 0) crashing[device] = CRASH_ROWS;
      sway[device] = Math.min(0.4, Math.max(0.02, sway[device]! + random.normal() * 0.005));
      const impact = crashing[device]! > 0 ? 1 + random.uniform() * 2 : 0;
      const spread = sway[device]!;
      builder.begin(keys[device]!, time);
      builder.text(openings[device]!);
      builder.integer(time);
      builder.text(X);
      builder.decimal(random.normal() * spread + impact);
      builder.text(Y);
      builder.decimal(random.normal() * spread - impact);
      builder.text(Z);
      builder.decimal(1 + random.normal() * spread + impact);
      builder.text(CLOSE);
      builder.end();
    }
    yield builder.build();
  }
}
