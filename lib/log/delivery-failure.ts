import { MillraceError } from "../error.ts";
import { isPassing } from "./broker-connection.ts";
import type { TopicPartition } from "./columns.ts";
import { BrokerRefused, RETRIABLE } from "./errors.ts";
import { TransactionLost } from "./transaction-coordinator.ts";

/**
 * Why a batch was given up: Kafka's error with its message, or the trouble on the way to the broker.
 * @param timeout how long it was tried, ms
 */
export function deliveryFailure(
  { topic, partition }: TopicPartition,
  error: string | undefined,
  message: string | null,
  trouble: unknown,
  timeout: number,
): MillraceError {
  const doing = `writing to partition ${partition} of topic "${topic}"${message ? ` (${message})` : ""}`;
  if (
    error === "INVALID_PRODUCER_EPOCH" ||
    error === "PRODUCER_FENCED" ||
    error === "INVALID_TXN_STATE" ||
    error === "UNKNOWN_PRODUCER_ID"
  )
    return new TransactionLost(`Kafka answered ${error} when ${doing}.`, new BrokerRefused(doing, error));
  if (error !== undefined && !RETRIABLE.has(error)) return new BrokerRefused(doing, error);
  if (trouble instanceof MillraceError && !isPassing(trouble)) return trouble; // nothing was sent
  return new MillraceError({
    code: "DELIVERY_UNKNOWN",
    what: `No acknowledgement within ${timeout} ms when ${doing}; whether it was written is not known.`,
    remedies: ["start the work since the last checkpoint again", "check that the brokers are up and in sync"],
    cause: trouble ?? error,
  });
}

export const noPartition = ({ topic, partition }: TopicPartition, count: number) =>
  new MillraceError({
    code: "NO_SUCH_PARTITION",
    what: `Topic "${topic}" has no partition ${partition}; it has ${count}.`,
    remedies: ["place records by the partition count of the topic's metadata"],
  });
