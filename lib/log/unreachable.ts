import { MillraceError } from "../error.ts";

/** A broker that cannot be reached, or that turns the connection down. */
export class UnreachableBroker extends MillraceError {}

const CHECK_PROTOCOL =
  "set KAFKA_SECURITY_PROTOCOL to what the broker's listener speaks (PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL)";
const WAYS_OUT = [
  "is it running, and is KAFKA_BOOTSTRAP_SERVERS right?",
  "start one here: npx millrace broker",
  "or with Docker: docker compose up -d",
];

/** What went wrong when connecting, in words, with ways out. */
export function unreachable(address: string, cause: unknown): UnreachableBroker {
  if (cause instanceof UnreachableBroker) return cause;
  const story = chain(cause);
  const told = (pattern: RegExp) => story.some((text) => pattern.test(text));
  // the listener knows no such mechanism, or wants no authentication at all
  if (told(/suitable SASL mechanism|UNSUPPORTED_SASL_MECHANISM|ILLEGAL_SASL_STATE/))
    return new UnreachableBroker({
      code: "AUTHENTICATION_FAILED",
      what: `The Kafka broker at ${address} does not offer this SASL mechanism.`,
      remedies: ["set KAFKA_SASL_MECHANISM to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", CHECK_PROTOCOL],
      cause,
    });
  if (told(/SASL|authenticat/i))
    return new UnreachableBroker({
      code: "AUTHENTICATION_FAILED",
      what: `The Kafka broker at ${address} did not accept the credentials.`,
      remedies: ["check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"],
      cause,
    });
  // the broker says it in an alert; what this side has against the broker's certificate is none
  if (told(/alert (certificate|bad certificate|unsupported certificate|unknown ca)/i))
    return new UnreachableBroker({
      code: "TLS_FAILED",
      what: `The Kafka broker at ${address} wants a certificate of the client, and one that it trusts: ${alert(story.at(-1)!)}`,
      remedies: [
        "give it in KAFKA_SSL_CERT and KAFKA_SSL_KEY, signed by an authority of the broker's truststore",
        CHECK_PROTOCOL,
      ],
      cause,
    });
  if (told(/TLS|certificate|self-signed|SSL|altnames/i))
    return new UnreachableBroker({
      code: "TLS_FAILED",
      what: `No TLS connection to the Kafka broker at ${address}: ${story.at(-1)}`,
      remedies: [CHECK_PROTOCOL, "give the authority that signed the broker's certificate in KAFKA_SSL_CA"],
      cause,
    });
  // a TLS or SASL listener closes on a client that does not speak it, and so does anything that is not Kafka
  if (told(/Connection closed|ECONNRESET|EPIPE|Request timed out|no answer within/))
    return new UnreachableBroker({
      code: "UNREACHABLE_BROKER",
      what: `Something at ${address} accepts connections, but does not answer as a Kafka broker: ${story.at(-1)}`,
      remedies: [CHECK_PROTOCOL, ...WAYS_OUT],
      cause,
    });
  return new UnreachableBroker({
    code: "UNREACHABLE_BROKER",
    what: `The Kafka broker at ${address} cannot be reached: ${story.at(-1) ?? "no answer"}`,
    remedies: WAYS_OUT,
    cause,
  });
}

/** OpenSSL's line about an alert without its numbers and places in its source. */
const alert = (line: string): string => /alert [a-z ]+/.exec(line)?.[0] ?? line;

function chain(error: unknown): string[] {
  const texts: string[] = [];
  for (let at = error; at instanceof Error && texts.length < 8; at = at.cause) {
    const code = (at as { code?: string }).code;
    texts.push(at.message || code || at.name);
    if (at instanceof AggregateError)
      for (const inner of at.errors.slice(0, 3)) texts.push((inner as { apiId?: string }).apiId ?? String(inner));
  }
  return texts;
}

/** A broker that greets and then closes the connection on the first question: it waits for a client to authenticate. */
export function authenticationWanted(address: string, cause: unknown): UnreachableBroker {
  return new UnreachableBroker({
    code: "AUTHENTICATION_FAILED",
    what: `The Kafka broker at ${address} closes the connection on the first request: its listener probably asks for credentials.`,
    remedies: [CHECK_PROTOCOL, "give KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"],
    cause,
  });
}
