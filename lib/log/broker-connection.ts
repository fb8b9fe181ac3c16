import { isIP } from "node:net";
import { type ApiVersions, apiVersionsRequest, requireVersion } from "./api-versions.ts";
import type { KafkaConfig } from "./config.ts";
import { kafkaErrorOf, RETRIABLE } from "./errors.ts";
import { type API, type Connection, newConnection, type Reader, ResponseError, type Writer } from "./kafka-package.ts";
import { UnreachableBroker, unreachable } from "./unreachable.ts";

/** A request as the low-level client takes it: how to write it, how to read its answer. */
export interface WireRequest<Answer> {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Its headers carry no tagged fields: versions from before KIP-482. */
  readonly plainHeaders?: boolean;
  write(): Writer;
  read(reader: Reader): Answer;
}

/** How long a broker that has accepted a connection may take to say what it can do, ms. */
const GREETING_TIMEOUT = 10_000;

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
  #connection: Connection | undefined;
  #offered: ApiVersions = new Map();
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
   * @throws {UnreachableBroker} `UNSUPPORTED_BROKER` when the broker does not know the request's version, or a network error of the library; see {@link isPassing}
   */
  async request<Arguments extends unknown[], Answer>(api: API<Arguments, Answer>, ...args: Arguments): Promise<Answer> {
    const connection = await this.connected();
    requireVersion(this.#offered, api.key, api.version, this.address);
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
    requireVersion(this.#offered, request.apiKey, request.apiVersion, this.address);
    return await exchange(connection, request);
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

  /** Bytes that have come over the open connection. */
  get bytesRead(): number {
    return this.#connection?.socket?.bytesRead ?? 0;
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
    const connection = newConnection(clientId, {
      connectTimeout,
      requestTimeout: this.#requestTimeout,
      maxInflights: 16,
      ...(sasl && { sasl }),
      ...(ssl && { tls: ssl, tlsServerName: ssl.serverName ?? isIP(this.#host) === 0 }),
    });
    // each request reports it, but for why the connection was closed: a broker judges the client's certificate once the client takes itself for connected
    let closedFor: unknown;
    connection.on("error", (error) => {
      closedFor = error;
    });
    try {
      await connection.connect(this.#host, this.#port);
      closedFor = undefined;
      this.#connection = connection;
      this.#offered = await greeted(exchange(connection, apiVersionsRequest));
      return connection;
    } catch (cause) {
      this.#open = undefined;
      void connection.close().catch(() => {});
      throw unreachable(this.address, closedFor ?? cause);
    }
  }
}

function exchange<Answer>(connection: Connection, request: WireRequest<Answer>): Promise<Answer> {
  const tagged = !request.plainHeaders;
  return new Promise((resolve, reject) =>
    connection.send<Answer>(
      request.apiKey,
      request.apiVersion,
      () => request.write(),
      (_correlation, _key, _version, reader) => request.read(reader),
      tagged,
      tagged,
      (error, answer) => (error ? reject(error) : resolve(answer as Answer)),
    ),
  );
}

async function greeted<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${GREETING_TIMEOUT} ms`)), GREETING_TIMEOUT);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
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
