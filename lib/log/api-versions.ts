import { MillraceError } from "../error.ts";
import type { WireRequest } from "./broker-connection.ts";
import { BrokerRefused, kafkaErrorName } from "./errors.ts";
import { protocolAPIsById, type Reader, Writer } from "./kafka-package.ts";

/*
  ApiVersions Request (Version: 0) =>            the one version that every broker since 0.10 answers, also before authentication

  ApiVersions Response (Version: 0) => error_code INT16, [api_keys]
    api_keys => api_key INT16, min_version INT16, max_version INT16
*/

/** API key -> the versions a broker answers, first and last. */
export type ApiVersions = ReadonlyMap<number, readonly [number, number]>;

export const apiVersionsRequest: WireRequest<ApiVersions> = {
  apiKey: 18,
  apiVersion: 0,
  plainHeaders: true,
  write: () => Writer.create(),
  read: readAnswer,
};

function readAnswer(reader: Reader): ApiVersions {
  const errorCode = reader.readInt16();
  if (errorCode !== 0) throw new BrokerRefused("asking for its API versions", kafkaErrorName(errorCode));
  const offered = reader.readArray(
    (reader) => [reader.readInt16(), [reader.readInt16(), reader.readInt16()]] as const,
    false,
    false,
  );
  return new Map(offered);
}

/**
 * Before a request is sent: an older broker would close the connection without a word, or not answer at all.
 * @throws {MillraceError} `UNSUPPORTED_BROKER`
 */
export function requireVersion(offered: ApiVersions, apiKey: number, apiVersion: number, address: string): void {
  const [first, last] = offered.get(apiKey) ?? [];
  if (first !== undefined && first <= apiVersion && apiVersion <= last!) return;
  const name = (protocolAPIsById as Record<number, string>)[apiKey] ?? `API ${apiKey}`;
  throw new MillraceError({
    code: "UNSUPPORTED_BROKER",
    what: `The Kafka broker at ${address} does not offer ${name} version ${apiVersion} (${first === undefined ? "not at all" : `it offers ${first} to ${last}`}).`,
    remedies: ["use Kafka 3.0 or newer, or a service compatible with it"],
  });
}
