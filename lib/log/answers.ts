import type { MillraceError } from "../error.ts";
import type { DecodedRecords } from "./decode.ts";
import type { PartitionAnswer } from "./fetch-request.ts";
import { wholeBatches } from "./record-hops.ts";

/** What came of one partition, and waits for its reader. */
export interface Answered {
  readonly offset: number;
  readonly answer: PartitionAnswer;
  readonly error?: MillraceError;
  /** Being decoded in another thread. */
  decoding?: boolean;
  decoded?: DecodedRecords | MillraceError;
}

/** So many bytes of a partition are given at a time, and wait at least for that before no more is fetched. */
const ENOUGH = 2 ** 20;

/** Of record batches. */
export const bytesOf = (ready: readonly Answered[]) =>
  ready.reduce((sum, { answer }) => sum + answer.records.length, 0);

/** Whether a partition has more waiting than is given at a time. */
export function isEnough(ready: readonly Answered[]): boolean {
  return ready.length > 1 && bytesOf(ready) >= ENOUGH;
}

/**
 * Takes the next answer off, and with it the small ones behind it: whoever reads gets what has come up to now, and a batch costs its reader about as much
 * whether it holds ten records or a thousand.
 */
export function takeJoined(ready: Answered[]): Answered {
  let [count, bytes] = [1, ready[0]!.answer.records.length];
  while (count < ready.length && ready.slice(0, count + 1).every(isBytes)) {
    bytes += ready[count]!.answer.records.length;
    if (bytes > ENOUGH) break;
    count++;
  }
  const taken = ready.splice(0, count);
  if (count === 1) return taken[0]!;
  const answers = taken.map(({ answer }) => answer);
  return {
    offset: taken[0]!.offset,
    answer: {
      ...answers.at(-1)!,
      abortedTransactions: answers.flatMap(({ abortedTransactions }) => abortedTransactions),
      records: Buffer.concat(answers.map(({ records }) => wholeBatches(records))),
    },
  };
}

/** Not decoded, and not to be reported. */
function isBytes({ error, decoding, decoded }: Answered): boolean {
  return error === undefined && decoded === undefined && !decoding;
}
