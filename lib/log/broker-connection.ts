import { isIP } from "node:net";
import { type API, Connection, type Reader, ResponseError, type Writer } from "@platformatic/kafka";
import { MillraceError } from "../error.ts";
import type { KafkaConfig } from "./config.ts";
import { kafkaErrorOf, RETRIABLE } from "./errors.ts";

/** A broker that cannot be reached, or that turns the connection down. */
export class UnreachableBroker extends MillraceError {}

/** A request as the low-level client takes it: how to write it, how to read its answer. */
export interface WireRequest<Answer> {
  readonly apiKey: number;
  readonly apiVersion: number;
  write(): Writer;
  read(reader: Reader): Answer;
}

/**
 * One connection to one broker, made when first used and made again when it broke. Requests are answered in order;
 * a broker works on one request of a connection at a time, so what waits (a fetch, joining a group) needs its own.
 */
export class BrokerConnection {
  readonly address: string;
  readonly #host: string;
  readonly #port: number;
  readonly #config: KafkaConfig;
  readonly #requestTimeout: number;
  #open: Promise<Connection> | undefined;
  #closed = false;

  constructor(host: string, port: number, config: KafkaConfig, requestTimeout = config.requestTimeout ?? 30_000) {
    this.#host = host;
    this.#port = port;
    this.#config = config;
    this.#requestTimeout = requestTimeout;
    this.address = `${host}:${port}`;
  }

  /**
   * Calls one of the library's API modules. An answer that carries error codes is returned, not thrown:
   * the caller reads them where they stand.
   * @throws {UnreachableBroker} or a network error of the library; see {@link isPassing}
   */
  async request<Arguments extends unknown[], Answer>(api: API<Arguments, Answer>, ...args: Arguments): Promise<Answer> {
    const connection = await this.connected();
    try {
      return await (api.async as (connection: Connection, ...args: readonly unknown[]) => Promise<Answer>)(
        connection,
        ...args,
      );
    } catch (error) {
      if (error instanceof ResponseError && error.response !== undefined) return error.response as Answer;
      throw error;
    }
  }

  /** Sends a request of our own and parses the answer straight from the bytes. */
  async send<Answer>(request: WireRequest<Answer>): Promise<Answer> {
    const connection = await this.connected();
    return await new Promise<Answer>((resolve, reject) =>
      connection.send<Answer>(
        request.apiKey,
        request.apiVersion,
        () => request.write(),
        (_correlation, _key, _version, reader) => request.read(reader),
        true,
        true,
        (error, answer) => (error ? reject(error) : resolve(answer as Answer)),
      ),
    );
  }

  /** The open connection; connects when there is none. */
  async connected(): Promise<Connection> {
    if (this.#closed)
      throw new UnreachableBroker({ code: "CLOSED", what: `The connection to ${this.address} was closed.` });
    if (this.#open !== undefined) {
      const connection = await this.#open;
      if (connection.isConnected()) return connection;
      this.#open = undefined;
    }
    this.#open ??= this.#connect();
    return await this.#open;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = this.#open;
    this.#open = undefined;
    await open?.then(
      (connection) => connection.close(),
      () => {},
    );
  }

  async #connect(): Promise<Connection> {
    const { sasl, ssl, clientId = "millrace", connectTimeout = 5000 } = this.#config;
    const connection = new Connection(clientId, {
      connectTimeout,
      requestTimeout: this.#requestTimeout,
      maxInflights: 16,
      ...(sasl && { sasl }),
      ...(ssl && { tls: ssl, tlsServerName: ssl.serverName ?? isIP(this.#host) === 0 }),
    });
    connection.on("error", () => {}); // each request reports it
    try {
      await connection.connect(this.#host, this.#port);
      return connection;
    } catch (cause) {
      this.#open = undefined;
      throw unreachable(this.address, cause);
    }
  }
}

/** Whether trying again may help: the network, a broker between states, old metadata. */
export function isPassing(error: unknown): boolean {
  const kafkaError = kafkaErrorOf(error);
  if (kafkaError !== undefined) return RETRIABLE.has(kafkaError);
  if (error instanceof UnreachableBroker) return error.code === "UNREACHABLE_BROKER";
  const code = (error as { code?: string } | undefined)?.code ?? "";
  return code === "PLT_KFK_NETWORK" || code === "PLT_KFK_TIMEOUT";
}

/** What went wrong when connecting, in words, with ways out. */
export function unreachable(address: string, cause: unknown): UnreachableBroker {
  if (cause instanceof UnreachableBroker) return cause;
  const story = chain(cause);
  if (story.some((text) => /SASL|authenticat/i.test(text)))
    return new UnreachableBroker({
      code: "AUTHENTICATION_FAILED",
      what: `The Kafka broker at ${address} did not accept the credentials.`,
      remedies: ["check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"],
      cause,
    });
  if (story.some((text) => /TLS|certificate|self-signed|SSL/i.test(text)))
    return new UnreachableBroker({
      code: "TLS_FAILED",
      what: `No TLS connection to the Kafka broker at ${address}: ${story.at(-1)}`,
      remedies: [
        "set KAFKA_SECURITY_PROTOCOL to what the broker's listener speaks (SSL, SASL_SSL, PLAINTEXT)",
        "give the authority that signed the broker's certificate in KAFKA_SSL_CA",
      ],
      cause,
    });
  return new UnreachableBroker({
    code: "UNREACHABLE_BROKER",
    what: `The Kafka broker at ${address} cannot be reached: ${story.at(-1) ?? "no answer"}`,
    remedies: [
      "is it running, and is KAFKA_BOOTSTRAP_SERVERS right?",
      "start one here: npx millrace broker",
      "or with Docker: docker compose up -d",
    ],
    cause,
  });
}

function chain(error: unknown): string[] {
  const texts: string[] = [];
  for (let at = error; at instanceof Error && texts.length < 8; at = at.cause) {
    const code = (at as { code?: string }).code;
    texts.push(at.message || code || at.name);
    if (at instanceof AggregateError) texts.push(...at.errors.map(String).slice(0, 3));
  }
  return texts;
}
