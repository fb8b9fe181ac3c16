import type { RecordColumns } from "../../lib/log/index.ts";
import { defaults, names, type SimulateOptions } from "./options.ts";
import { Random } from "./random.ts";
import { RecordsBuilder } from "./records-builder.ts";

const ROOMS = ["general", "random", "support", "racing"];
const WORDS =
  "the a this that broker stream window late early phone car is was looks feels fast slow great broken fine again now".split(
    " ",
  );

/**
 * People who chat, key and field `user`: `{"user":"user-0042","timestamp":1767225600000,"room":"support","message":"this stream is fast"}`.
 */
export function* simulateChat(options: SimulateOptions = {}): Generator<RecordColumns, void, undefined> {
  const { count, devices, start, rate, seed, batch } = defaults(options);
  const random = new Random(seed);
  const keys = names("user-", devices, 4);
  const openings = keys.map((key) => Buffer.from(`{"user":"${key}","timestamp":`));
  const rooms = ROOMS.map((room) => Buffer.from(`,"room":"${room}","message":"`));
  const words = WORDS.map((word) => Buffer.from(word));
  const SPACE = Buffer.from(" ");
  const CLOSE = Buffer.from('"}');

  for (let row = 0; row < count; ) {
    const size = Math.min(batch, count - row);
    const builder = new RecordsBuilder(size, 128);
    for (let i = 0; i < size; i++, row++) {
      const user = random.below(devices);
      const time = start + Math.floor((row * 1000) / rate);
      builder.begin(keys[user]!, time);
      builder.text(openings[user]!);
      builder.integer(time);
      builder.text(rooms[random.below(rooms.length)]!);
      const length = 2 + random.below(8);
      for (let word = 0; word < length; word++) {
        if (word > 0) builder.text(SPACE);
        builder.text(words[random.below(words.length)]!);
      }
      builder.text(CLOSE);
      builder.end();
    }
    yield builder.build();
  }
}
