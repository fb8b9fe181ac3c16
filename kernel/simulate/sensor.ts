import type { RecordColumns } from "../../lib/log/index.ts";
import { defaults, names, type SimulateOptions } from "./options.ts";
import { Random } from "./random.ts";
import { RecordsBuilder } from "./records-builder.ts";

/** Share of readings that a sensor held back and sent later, and for how long at most, ms. */
const HELD_BACK = 0.02;
const LONGEST = 20_000;
const USUAL = 300;

/**
 * Sensors in greenhouses, key and field `sensor`: `{"sensor":"sensor-0007","timestamp":1767225600000,"celsius":21.304,"humidity":0.612}`.
 * The record's time is when the reading arrived, `timestamp` when it was taken: up to 0.3 s before, and for one in fifty, which lost its
 * connection, up to 20 s.
 */
export function* simulateSensor(options: SimulateOptions = {}): Generator<RecordColumns, void, undefined> {
  const { count, devices, start, rate, seed, batch } = defaults({ devices: 50, ...options });
  const random = new Random(seed);
  const keys = names("sensor-", devices, 4);
  const openings = keys.map((key) => Buffer.from(`{"sensor":"${key}","timestamp":`));
  const CELSIUS = Buffer.from(',"celsius":');
  const HUMIDITY = Buffer.from(',"humidity":');
  const CLOSE = Buffer.from("}");
  const mean = Float64Array.from({ length: devices }, () => 18 + random.uniform() * 8);

  for (let row = 0; row < count; ) {
    const size = Math.min(batch, count - row);
    const builder = new RecordsBuilder(size, 112);
    for (let i = 0; i < size; i++, row++) {
      const sensor = row % devices;
      const arrival = start + Math.floor((row * 1000) / rate);
      const delay = random.uniform() * (random.uniform() < HELD_BACK ? LONGEST : USUAL);
      const taken = arrival - Math.floor(delay);
      const celsius = mean[sensor]! + 2 * Math.sin(taken / 60_000) + random.normal() * 0.1;
      builder.begin(keys[sensor]!, arrival);
      builder.text(openings[sensor]!);
      builder.integer(taken);
      builder.text(CELSIUS);
      builder.decimal(celsius);
      builder.text(HUMIDITY);
      builder.decimal(Math.min(1, Math.max(0, 0.9 - celsius / 60 + random.normal() * 0.01)));
      builder.text(CLOSE);
      builder.end();
    }
    yield builder.build();
  }
}
