import { MillraceError } from "../../error.ts";
import { instant } from "./numbers.ts";

/** What passes by itself, as soon as somebody makes the topic, writes its first record, or starts the broker. */
const AWAITED: ReadonlySet<string> = new Set([
  "TOPIC_NOT_FOUND",
  "TOPIC_RECREATED",
  "NO_TOPIC_MATCHES",
  "EMPTY_TOPIC",
  "UNREACHABLE_BROKER",
]);

/** Whether a live frame waits for what is missing, rather than end with this error. */
export const awaited = (error: unknown): error is MillraceError =>
  error instanceof MillraceError && AWAITED.has(error.code);

/** Said beside rows of a topic that is another one than the cell began with. */
export const madeAnew = (title: string, now = Date.now()): string =>
  `${title} was deleted and made again: since ${instant(now)} UTC the new one is read, from its start and with fresh state`;
