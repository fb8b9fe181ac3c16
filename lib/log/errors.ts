import { MillraceError } from "../error.ts";
import { protocolErrorsCodesById, ResponseError } from "./kafka-package.ts";

/** Record bytes that do not hold what their header says: a wrong checksum, a length beyond the batch, an unknown format. */
export class CorruptRecords extends MillraceError {
  constructor(what: string, where: string, cause?: unknown) {
    super({
      code: "CORRUPT_RECORDS",
      what,
      where,
      remedies: [
        "read on behind it: start from a later offset",
        "check the broker's disk; a replica may still hold the batch",
      ],
      cause,
    });
  }
}

/** The place of a record batch in error messages. */
export const recordsPlace = ({ topic = "?", partition }: { topic?: string; partition?: number }, offset: number) =>
  `topic ${topic}, partition ${partition ?? "?"}, batch at offset ${offset}`;

/** Another producer with the same transactional id has started: this one may write no more. */
export class ProducerFenced extends MillraceError {
  constructor(transactionalId: string, cause?: unknown) {
    super({
      code: "PRODUCER_FENCED",
      what: `Another producer has taken over the transactional id "${transactionalId}".`,
      remedies: [
        "this process has been replaced: let it end",
        "if not, give each running job its own name (MILLRACE_JOB_NAME)",
      ],
      cause,
    });
  }
}

/** The broker answered a request with an error that retrying does not cure. */
export class BrokerRefused extends MillraceError {
  /** Kafka's name of the error, e.g. `GROUP_AUTHORIZATION_FAILED`. */
  readonly kafkaError: string;

  constructor(doing: string, kafkaError: string, remedies: readonly string[] = [], cause?: unknown) {
    super({
      code: "BROKER_REFUSED",
      what: `Kafka answered ${kafkaError} when ${doing}.`,
      remedies: [...remedies, ...hint(kafkaError)],
      cause,
    });
    this.kafkaError = kafkaError;
  }
}

/** Kafka's name of an error code: 6 -> `NOT_LEADER_OR_FOLLOWER`. */
export function kafkaErrorName(code: number): string {
  return (protocolErrorsCodesById as Record<number, string>)[code] ?? `error ${code}`;
}

/** The Kafka error a failed call of the library carries: its name, else undefined (a network trouble, a timeout). */
export function kafkaErrorOf(error: unknown): string | undefined {
  if (error instanceof BrokerRefused) return error.kafkaError;
  if (!(error instanceof ResponseError)) return undefined;
  for (const inner of error.errors as { apiId?: string }[]) if (inner.apiId !== undefined) return inner.apiId;
  return undefined;
}

/** Errors that say the metadata in hand is old or the broker is between states: refresh and ask again. */
export const RETRIABLE: ReadonlySet<string> = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_OR_FOLLOWER",
  "REQUEST_TIMED_OUT",
  "BROKER_NOT_AVAILABLE",
  "REPLICA_NOT_AVAILABLE",
  "NETWORK_EXCEPTION",
  "COORDINATOR_LOAD_IN_PROGRESS",
  "COORDINATOR_NOT_AVAILABLE",
  "NOT_COORDINATOR",
  "NOT_ENOUGH_REPLICAS",
  "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  "NOT_CONTROLLER",
  "KAFKA_STORAGE_ERROR",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "OFFSET_NOT_AVAILABLE",
  "CONCURRENT_TRANSACTIONS",
  "UNSTABLE_OFFSET_COMMIT",
  "THROTTLING_QUOTA_EXCEEDED",
]);

function hint(kafkaError: string): string[] {
  if (kafkaError.endsWith("AUTHORIZATION_FAILED")) return ["ask for the permission (ACL) that this user lacks"];
  if (kafkaError === "MESSAGE_TOO_LARGE" || kafkaError === "RECORD_LIST_TOO_LARGE")
    return ["raise max.message.bytes of the topic, or write smaller records"];
  if (kafkaError === "INVALID_TIMESTAMP")
    return ["is a record's time more than an hour ahead, or not in ms? (message.timestamp.after.max.ms of the topic)"];
  if (kafkaError === "INVALID_TRANSACTION_TIMEOUT")
    return ["use a shorter transaction timeout, or raise transaction.max.timeout.ms of the broker"];
  return [];
}
