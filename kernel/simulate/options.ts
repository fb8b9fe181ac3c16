/** What every simulation takes. The same options give the same records. */
export interface SimulateOptions {
  /** Records in all; endless when absent. */
  count?: number;
  /** Phones, cars, people, sensors or symbols; 100 by default. */
  devices?: number;
  /** Time of the first record, ms since the epoch; 2026-01-01T00:00:00Z by default. */
  start?: number;
  /** Records per second of event time, over all devices; ten per device by default. */
  rate?: number;
  /** 1 by default. */
  seed?: number;
  /** Records per batch; 20,000 by default. */
  batch?: number;
}

export const START = Date.UTC(2026, 0, 1);

export function defaults(options: SimulateOptions): Required<SimulateOptions> {
  const devices = options.devices ?? 100;
  return {
    count: options.count ?? Number.POSITIVE_INFINITY,
    devices,
    start: options.start ?? START,
    rate: options.rate ?? devices * 10,
    seed: options.seed ?? 1,
    batch: options.batch ?? 20_000,
  };
}

/** Names as bytes: `phone-00000`, `phone-00001`, … */
export const names = (stem: string, count: number, digits: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => Buffer.from(`${stem}${String(i).padStart(digits, "0")}`));
