import { timingSafeEqual } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { MillraceError, Refusal } from "../../error.ts";
import {
  type SqlValue,
  STATE_LIMITS,
  type StateAnswer,
  type StateQueryLimits,
} from "../../state/duckdb/state-query.ts";
import type { Unready } from "./worker-link.ts";

export interface JobServerOptions {
  /** On all interfaces; absent: a free port of 127.0.0.1, so that several workers share a machine. */
  readonly port?: number;
  /** Bearer token of `/state`; absent: only loopback is answered. */
  readonly token?: string;
  /** Why the job is not ready; undefined when it is. */
  readonly unready: () => Unready | Promise<Unready>;
  readonly metrics: () => Promise<string>;
  /** @param worker whose state, of several workers of this machine */
  readonly query: (
    sql: string,
    limits: StateQueryLimits,
    values: readonly SqlValue[],
    worker: number | undefined,
  ) => Promise<StateAnswer>;
}

const MAX_SQL_BYTES = 64 * 1024;
const MAX_ROWS = 100_000;

/** `/health/live`, `/health/ready`, `/metrics` and `/state` (read-only SQL: `POST` the statement, or as JSON with values, or `GET ?sql=`). */
export class JobServer {
  readonly url: string;
  readonly #server: http.Server;

  private constructor(server: http.Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @throws {MillraceError} `PORT_IN_USE` */
  static async start(options: JobServerOptions): Promise<JobServer> {
    const server = http.createServer((request, response) => {
      answer(request, options).then(
        ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body),
        (error) => response.writeHead(500, { "content-type": "text/plain" }).end(`${(error as Error).message}\n`),
      );
    });
    const host = options.port === undefined ? "127.0.0.1" : "0.0.0.0";
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause: NodeJS.ErrnoException) =>
        reject(
          new MillraceError({
            code: "PORT_IN_USE",
            what: `The port ${options.port} cannot be listened on (${cause.code}).`,
            where: "PORT",
            remedies: ["choose another one", "or leave PORT out: a free port of 127.0.0.1 is taken"],
            cause,
          }),
        ),
      );
      server.listen(options.port ?? 0, host, resolve);
    });
    return new JobServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: "application/json",
  body: `${JSON.stringify(value)}\n`,
});

async function answer(request: http.IncomingMessage, options: JobServerOptions): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://job");
  const reading = request.method === "GET" || request.method === "HEAD";
  if (url.pathname === "/health/live" && reading) return json(200, { status: "live" });
  if (url.pathname === "/health/ready" && reading) {
    const why = await options.unready();
    return why === undefined ? json(200, { status: "ready" }) : json(503, { status: "not ready", ...why });
  }
  if (url.pathname === "/metrics" && reading)
    return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: await options.metrics() };
  if (url.pathname === "/state" && (reading || request.method === "POST")) {
    if (!allowed(request, options.token))
      return json(options.token === undefined ? 403 : 401, {
        error:
          options.token === undefined
            ? "only loopback is answered; set MILLRACE_STATE_TOKEN for others"
            : "a bearer token is needed",
      });
    try {
      const sql = reading ? (url.searchParams.get("sql") ?? "") : await text(request);
      if (request.headers["content-type"] !== "application/json")
        return json(200, await options.query(sql, STATE_LIMITS, [], workerOf(url)));
      const { sql: statement, values, limits, worker = workerOf(url) } = question(sql);
      return json(200, await options.query(statement, limits, values, worker));
    } catch (error) {
      if (error instanceof Refusal) return json(400, { code: error.code, error: error.message });
      throw error;
    }
  }
  return json(404, { error: "there is /health/live, /health/ready, /metrics and /state" });
}

function allowed(request: http.IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) {
    // a page in a browser on this machine comes from loopback too: it is known by these headers
    const { host = "" } = request.headers;
    if (request.headers.origin !== undefined || !/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(host))
      return false;
    return /^(::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? "");
  }
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function workerOf(url: URL): number | undefined {
  const text = url.searchParams.get("worker");
  return text === null ? undefined : Number(text);
}

/** `{"sql": …, "values": [{ type, text }], "limits": { rows, time }, "worker": N}`; limits count up to those of the server. */
function question(body: string): {
  sql: string;
  values: readonly SqlValue[];
  limits: StateQueryLimits;
  worker?: number;
} {
  try {
    const { sql, values = [], limits = STATE_LIMITS, worker } = JSON.parse(body) as ReturnType<typeof question>;
    if (typeof sql !== "string" || !Array.isArray(values)) throw new TypeError("no statement");
    const upTo = (asked: unknown, own: number) =>
      typeof asked === "number" && asked >= 0 ? Math.min(Math.floor(asked), own) : own;
    return {
      sql,
      values,
      ...(typeof worker === "number" && { worker }),
      limits: { rows: upTo(limits.rows, MAX_ROWS), time: upTo(limits.time, STATE_LIMITS.time) },
    };
  } catch {
    throw new Refusal({ code: "BAD_SQL", what: 'The question is not {"sql": "…", "values": […]} in JSON.' });
  }
}

async function text(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_SQL_BYTES) throw new Refusal({ code: "BAD_SQL", what: "The statement is too long." });
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
