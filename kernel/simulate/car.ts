import type { RecordColumns } from "../../lib/log/index.ts";
import { defaults, names, type SimulateOptions } from "./options.ts";
import { Random } from "./random.ts";
import { RecordsBuilder } from "./records-builder.ts";

const LAP_SECONDS = 90;

/**
 * Racing cars that send telemetry, key and field `car`: `{"car":"car-07","timestamp":1767225600000,"lap":3,"speed":287.413,"rpm":11034,
 * "gear":7,"throttle":0.981,"brake":0.000}`; speed in km/h, pedals from 0 to 1. A lap takes about 90 s of event time.
 */
export function* simulateCar(options: SimulateOptions = {}): Generator<RecordColumns, void, undefined> {
  const { count, devices, start, rate, seed, batch } = defaults({ devices: 20, ...options });
  const random = new Random(seed);
  const keys = names("car-", devices, 2);
  const openings = keys.map((key) => Buffer.from(`{"car":"${key}","timestamp":`));
  const fields = ["lap", "speed", "rpm", "gear", "throttle", "brake"].map((field) => Buffer.from(`,"${field}":`));
  const CLOSE = Buffer.from("}");
  const pace = Float64Array.from({ length: devices }, () => 0.97 + random.uniform() * 0.06);

  for (let row = 0; row < count; ) {
    const size = Math.min(batch, count - row);
    const builder = new RecordsBuilder(size, 144);
    for (let i = 0; i < size; i++, row++) {
      const car = row % devices;
      const elapsed = (row * 1000) / rate;
      const laps = (elapsed / 1000 / LAP_SECONDS) * pace[car]! + car / devices / 50;
      // six corners a lap, the speed falling into and rising out of each
      const swing = Math.cos(laps * 12 * Math.PI);
      const speed = 200 + 110 * swing + random.normal() * 2;
      const rising = -Math.sin(laps * 12 * Math.PI);
      const values = [
        Math.floor(laps),
        speed,
        Math.round(4000 + (speed % 45) * 170),
        Math.min(8, 1 + Math.floor(speed / 42)),
        Math.min(1, Math.max(0, rising + 0.3)),
        Math.min(1, Math.max(0, -rising - 0.3)),
      ];
      builder.begin(keys[car]!, start + Math.floor(elapsed));
      builder.text(openings[car]!);
      builder.integer(start + Math.floor(elapsed));
      for (let field = 0; field < fields.length; field++) {
        builder.text(fields[field]!);
        if (field === 0 || field === 2 || field === 3) builder.integer(values[field]!);
        else builder.decimal(values[field]!);
      }
      builder.text(CLOSE);
      builder.end();
    }
    yield builder.build();
  }
}
