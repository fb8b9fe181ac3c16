import type pl from "nodejs-polars";
import { MillraceError } from "../../error.ts";
import { partitionOf } from "../../log/murmur2.ts";
import type { Program } from "../../operators/program.ts";

/** Keys remembered at most, per group of inputs that are joined. */
const MOST = 100_000;

/**
 * Holds the records of topics that are joined against each other: rows of a key meet only where all topics have it in the same partition. Which partition that is, is up
 * to whoever produced the topic; librdkafka's own default is another one than that of Kafka's Java clients. Rows that the plan placed anew are
 * where Java's murmur2 puts them.
 */
export class KeyPlacement {
  /** Source -> the keys of its group and where they were first seen; undefined where rows of other inputs do not matter. */
  readonly #seen = new Map<string, { readonly keys: Map<string, Place>; readonly placed: boolean }>();

  constructor({ groups }: Program) {
    for (const { inputs, placed, joined } of groups) {
      if (!joined) continue;
      const seen = { keys: new Map<string, Place>(), placed: placed.size > 0 };
      for (const input of inputs) if (!placed.has(input)) this.#seen.set(input, seen);
    }
  }

  /**
   * @param frame records of one partition, with `_key`
   * @throws MillraceError `KEYS_PLACED_DIFFERENTLY`
   */
  check(
    source: string,
    { topic, partition, partitions }: Place & { readonly partitions: number },
    frame: pl.DataFrame,
  ): void {
    const seen = this.#seen.get(source);
    if (seen === undefined || partitions < 2 || frame.height === 0) return;
    for (const key of frame.getColumn("_key").unique().toArray() as (string | null)[]) {
      if (key === null) continue;
      const known = seen.keys.get(key);
      if (known !== undefined) {
        if (known.partition !== partition) throw differently(key, { topic, partition }, known);
        continue;
      }
      if (seen.placed) {
        const own = partitionOf(partitions, Buffer.from(key));
        if (own !== partition) throw differently(key, { topic, partition }, { topic: undefined, partition: own });
      }
      if (seen.keys.size < MOST) seen.keys.set(key, { topic, partition });
    }
  }
}

interface Place {
  readonly topic: string | undefined;
  readonly partition: number;
}

function differently(key: string, here: Place, there: Place): MillraceError {
  const other =
    there.topic === undefined
      ? `rows that are placed anew have it in partition ${there.partition}`
      : `${there.topic} has it in partition ${there.partition}`;
  return new MillraceError({
    code: "KEYS_PLACED_DIFFERENTLY",
    what: `The key ${JSON.stringify(key)} lies in partition ${here.partition} of ${here.topic}, and ${other}: joined by keys, they would never meet.`,
    where: `topic ${here.topic}`,
    remedies: [
      `place it anew by a column: topic("${here.topic}", …).keyBy(…), on both sides where neither is placed by murmur2`,
      "produce both with the same partitioner: that of Kafka's Java clients is murmur2 (librdkafka: partitioner=murmur2_random)",
    ],
  });
}
