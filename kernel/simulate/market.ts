import type { RecordColumns } from "../../lib/log/index.ts";
import { defaults, names, type SimulateOptions } from "./options.ts";
import { Random } from "./random.ts";
import { RecordsBuilder } from "./records-builder.ts";

/**
 * The best bid and ask of symbols, key and field `symbol`: `{"symbol":"SYM-03","timestamp":1767225600000,"bid":101.204,"ask":101.248}`.
 * The same seed gives {@link simulateTrades} the same market.
 */
export function simulateQuotes(options: SimulateOptions = {}): Generator<RecordColumns, void, undefined> {
  return market(options, 0, (builder, mid, random) => {
    const half = 0.01 + random.uniform() * 0.04;
    builder.text(BID);
    builder.decimal(mid - half);
    builder.text(ASK);
    builder.decimal(mid + half);
  });
}

/**
 * Trades in the market of {@link simulateQuotes}, key and field `symbol`: `{"symbol":"SYM-03","timestamp":1767225600007,"price":101.231,
 * "size":300,"side":"buy"}`; most lie within the spread, some slip beyond it.
 */
export function simulateTrades(options: SimulateOptions = {}): Generator<RecordColumns, void, undefined> {
  return market(options, 7, (builder, mid, random) => {
    const buy = random.uniform() < 0.5;
    const slip = random.below(20) === 0 ? 0.15 : 0.02;
    builder.text(PRICE);
    builder.decimal(mid + (buy ? 1 : -1) * random.uniform() * slip);
    builder.text(SIZE);
    builder.integer(100 * (1 + random.below(20)));
    builder.text(SIDE);
    builder.text(buy ? BUY : SELL);
  });
}

const [BID, ASK] = [Buffer.from(',"bid":'), Buffer.from(',"ask":')];
const [PRICE, SIZE, SIDE] = [Buffer.from(',"price":'), Buffer.from(',"size":'), Buffer.from(',"side":"')];
const [BUY, SELL] = [Buffer.from('buy"'), Buffer.from('sell"')];
const CLOSE = Buffer.from("}");

/** @param shift ms by which these records lie behind those of the other kind */
function* market(
  options: SimulateOptions,
  shift: number,
  fields: (builder: RecordsBuilder, mid: number, random: Random) => void,
): Generator<RecordColumns, void, undefined> {
  const { count, devices, start, rate, seed, batch } = defaults({ devices: 10, ...options });
  const shared = new Random(seed);
  const random = new Random(seed + 1 + shift);
  const keys = names("SYM-", devices, 2);
  const openings = keys.map((key) => Buffer.from(`{"symbol":"${key}","timestamp":`));
  const opening = Float64Array.from({ length: devices }, () => 20 + shared.uniform() * 180);
  const phase = Float64Array.from({ length: devices }, () => shared.uniform() * 2 * Math.PI);

  for (let row = 0; row < count; ) {
    const size = Math.min(batch, count - row);
    const builder = new RecordsBuilder(size, 112);
    for (let i = 0; i < size; i++, row++) {
      const symbol = row % devices;
      const time = start + Math.floor((row * 1000) / rate) + shift;
      const wave = Math.sin(time / 40_000 + phase[symbol]!) + 0.3 * Math.sin(time / 3000 + 2 * phase[symbol]!);
      builder.begin(keys[symbol]!, time);
      builder.text(openings[symbol]!);
      builder.integer(time);
      fields(builder, opening[symbol]! * (1 + 0.004 * wave), random);
      builder.text(CLOSE);
      builder.end();
    }
    yield builder.build();
  }
}
