import { MillraceError } from "../error.ts";
import type { Cluster } from "./cluster.ts";

/** The error of an offset that is not in the log; it says what the log holds, where that can be asked. */
export async function outOfRange(
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: number,
): Promise<MillraceError> {
  const range = await Promise.all([cluster.listOffsets(topic, "earliest"), cluster.listOffsets(topic, "latest")]).catch(
    () => undefined,
  );
  const kept = range === undefined ? "" : `; it holds ${range[0].get(partition)} to ${range[1].get(partition)}`;
  return new MillraceError({
    code: "OFFSET_OUT_OF_RANGE",
    what: `Offset ${offset} is not in the log any more, or not yet${kept}.`,
    where: `topic ${topic}, partition ${partition}`,
    remedies: [
      "start from the earliest offset kept",
      "raise retention.ms of the topic, so that records outlive their readers",
    ],
  });
}
