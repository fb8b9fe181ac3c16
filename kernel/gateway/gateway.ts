import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { MillraceError, Refusal } from "../../lib/error.ts";
import type { Cluster } from "../../lib/log/index.ts";
import { judgeAccess, PROTOCOL, TOKEN_FORM } from "./access.ts";
import { Inlet } from "./inlet.ts";
import { Outlet } from "./outlet.ts";
import { alertsPage } from "./page.ts";

export interface GatewayOptions {
  /** The address to listen on; one that other machines reach needs a token. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly token?: string;
  /** Topic of `/in`, its partition count, the fields of key and time; absent: nothing is taken. */
  readonly inlet?: {
    readonly topic: string;
    readonly partitions: number;
    readonly key?: string;
    readonly time?: string;
  };
  /** Topics of `/out`. */
  readonly outlet: readonly string[];
  /** Bytes of one message; a longer one closes its connection (1009). 64 KiB by default. */
  readonly maxMessageBytes?: number;
  /** Connections at one time; 1000 by default. */
  readonly maxClients?: number;
  /** Bytes of readings that wait for Kafka before phones are held back; 16 MiB by default. */
  readonly maxPendingBytes?: number;
  /** Bytes that wait for one browser before records are left out for it; 1 MiB by default. */
  readonly maxBufferedBytes?: number;
  /** Silence after which a connection is asked whether it lives, and after as long again ended, ms; 30 s by default. */
  readonly heartbeat?: number;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1)$/;
const REMEMBERED = 100;
const GOING_AWAY = 1001;
const CLOSING = 2000;

/**
 * Websockets beside Kafka: `/in` takes readings into a topic, `/out?topic=NAME` gives records of topics, `/` is a page that shows them as they come,
 * `/health` says how it stands.
 */
export class Gateway {
  readonly url: string;
  readonly #server: http.Server;
  readonly #sockets: WebSocketServer;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #inlet: Inlet | undefined;
  readonly #outlet: Outlet;

  private constructor(
    url: string,
    server: http.Server,
    sockets: WebSocketServer,
    heartbeat: number,
    inlet: Inlet | undefined,
    outlet: Outlet,
  ) {
    this.url = url;
    this.#server = server;
    this.#sockets = sockets;
    this.#inlet = inlet;
    this.#outlet = outlet;
    this.#heartbeat = setInterval(() => this.#sweep(), heartbeat);
  }

  /** @throws {Refusal} `GATEWAY_TOKEN`; {@link MillraceError} `PORT_IN_USE` */
  static async start(cluster: Cluster, options: GatewayOptions): Promise<Gateway> {
    refuseOpenDoor(options);
    const { maxMessageBytes = 64 * 1024, maxClients = 1000, heartbeat = 30_000 } = options;
    const { maxPendingBytes = 16 * 2 ** 20, maxBufferedBytes = 2 ** 20 } = options;
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    });
    const inlet =
      options.inlet && (await Inlet.open(cluster, options.inlet.partitions, { ...options.inlet, maxPendingBytes }));
    const outlet = await Outlet.open(cluster, { topics: options.outlet, remembered: REMEMBERED, maxBufferedBytes });
    const server = http.createServer((request, response) => answer(request, response, inlet, outlet, sockets));
    server.on("upgrade", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => socket.destroy()); // gone before it was a websocket
      const access = judgeAccess(request.headers, options.token);
      if (!access.ok) return refuse(socket, access.status, access.why);
      if (sockets.clients.size >= maxClients) return refuse(socket, 503, "there are too many connections");
      const route = routeOf(request, inlet, outlet);
      if (typeof route === "string") return refuse(socket, 404, route);
      sockets.handleUpgrade(request, socket, head, (websocket) => {
        alive.add(websocket);
        websocket.on("pong", () => alive.add(websocket));
        websocket.on("message", () => alive.add(websocket));
        websocket.on("error", () => {}); // a close follows, with its code
        route(websocket);
      });
    });
    try {
      await listen(server, options);
    } catch (error) {
      await Promise.all([outlet.close(), inlet?.close()]);
      throw error;
    }
    const { port } = server.address() as AddressInfo;
    const name = options.host.includes(":") ? `[${options.host}]` : options.host;
    return new Gateway(`http://${name}:${port}`, server, sockets, heartbeat, inlet, outlet);
  }

  /** Ends connections that have not answered since the last time, and asks the others. */
  #sweep(): void {
    for (const socket of this.#sockets.clients) {
      // one that is held back cannot answer
      if (!alive.delete(socket) && !socket.isPaused) socket.terminate();
      else socket.ping();
    }
  }

  /** Takes nothing more; what was taken is written, then everybody is told to go. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#server.close();
    await this.#inlet?.close();
    const gone = [...this.#sockets.clients].map((socket) => {
      socket.resume();
      socket.close(GOING_AWAY, "the gateway is stopping");
      return new Promise<void>((resolve) => socket.once("close", () => resolve()));
    });
    const deadline = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate();
    }, CLOSING);
    await Promise.all(gone);
    clearTimeout(deadline);
    this.#server.closeAllConnections();
    await this.#outlet.close();
  }
}

const alive = new WeakSet<WebSocket>();

function refuseOpenDoor({ host, token }: GatewayOptions): void {
  if (token !== undefined && !TOKEN_FORM.test(token))
    throw new Refusal({
      code: "GATEWAY_TOKEN",
      what: "The gateway's token is not of the form it must have.",
      remedies: ["16 to 256 letters, digits and . _ ~ + -, for instance of: openssl rand -hex 24"],
    });
  if (token === undefined && !LOOPBACK.test(host))
    throw new Refusal({
      code: "GATEWAY_TOKEN",
      what: `Listening on ${host}, other machines could write to the topic and read the alerts; that needs a token.`,
      remedies: ["set MILLRACE_GATEWAY_TOKEN", "or leave --host at 127.0.0.1"],
    });
}

type Route = (socket: WebSocket) => void;

function routeOf(request: http.IncomingMessage, inlet: Inlet | undefined, outlet: Outlet): Route | string {
  const url = new URL(request.url ?? "/", "http://gateway");
  if (url.pathname === "/in") {
    if (inlet === undefined) return "this gateway takes no readings";
    return (socket) => inlet.connect(socket);
  }
  if (url.pathname !== "/out") return "there is /in and /out";
  const asked = url.searchParams.getAll("topic");
  const unknown = asked.find((topic) => !outlet.topics.includes(topic));
  if (unknown !== undefined) return "this topic is not given out";
  return (socket) => {
    socket.on("message", () => {}); // nothing is expected
    outlet.connect(socket, asked.length === 0 ? outlet.topics : asked);
  };
}

const STATUS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable",
};

function refuse(socket: Duplex, status: number, why: string): void {
  const body = `${JSON.stringify({ error: why })}\n`;
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status} ${STATUS[status]}\r\n${headers}\r\n\r\n${body}`);
}

function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  inlet: Inlet | undefined,
  outlet: Outlet,
  sockets: WebSocketServer,
): void {
  const { pathname } = new URL(request.url ?? "/", "http://gateway");
  const json = (status: number, value: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);
  if (request.method !== "GET" && request.method !== "HEAD") return void json(405, { error: "only GET" });
  if (pathname === "/health")
    return void json(200, {
      connections: sockets.clients.size,
      in: inlet?.counts,
      heldBack: inlet?.paused,
      out: outlet.counts,
    });
  if (pathname !== "/") return void json(404, { error: "there is /, /health, and websockets at /in and /out" });
  const { html, policy } = alertsPage(outlet.topics);
  response
    .writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    })
    .end(html);
}

function listen(server: http.Server, { host, port }: GatewayOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new MillraceError({
          code: "PORT_IN_USE",
          what: `${host}:${port} cannot be listened on (${cause.code}).`,
          remedies: ["choose another --port; 0 takes a free one"],
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}
