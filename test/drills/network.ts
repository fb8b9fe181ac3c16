import net from "node:net";

/*
  Requests and responses are frames: size INT32, then
    request:  api_key INT16, api_version INT16, correlation_id INT32, …
    response: correlation_id INT32, header tags (flexible versions), …
  Produce response, version 9: tags, [name COMPACT_STRING, [index INT32, error_code INT16, …]]
*/

const PRODUCE = 0;
const FETCH = 1;
const END_TXN = 26;
const NOT_LEADER_OR_FOLLOWER = 6;

/** What the network does to what passes. */
export interface Weather {
  /** Nothing gets through in either direction, connections stay open, new ones get no answer: a firewall that drops packets. */
  away: boolean;
  /** Answers to produce requests are held back by so many milliseconds. */
  produceDelay: number;
  /** Produce requests pass at so many bytes a second, each connection by itself; 0: as fast as they come. */
  produceRate: number;
  /** The end of a transaction takes so many milliseconds longer, half of them before it happens and half before its answer. */
  commitDelay: number;
  /** So many answers to produce requests say NOT_LEADER_OR_FOLLOWER, although the records were written. */
  notLeader: number;
}

const CALM: Weather = { away: false, produceDelay: 0, produceRate: 0, commitDelay: 0, notLeader: 0 };

/**
 * Stands between a job and its broker (which must advertise {@link address}) and misbehaves when told to. Everything behind it is a real
 * broker: what is written is written.
 */
export class FaultyNetwork {
  readonly weather: Weather = { ...CALM };
  /** How many answers were held back or altered. */
  tampered = 0;
  /** Transactions whose end is held back just now, and how many ever were. */
  readonly ends = { now: 0, ever: 0 };
  /** Bytes that passed: of answers to fetch requests, and of produce requests. */
  readonly passed = { fetched: 0, produced: 0 };
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server) {
    this.#server = server;
  }

  /** Listens on `port` of 127.0.0.1 for connections to the broker at `brokerPort`. */
  static async start(port: number, brokerPort: number): Promise<FaultyNetwork> {
    const server = net.createServer({ pauseOnConnect: true });
    const network = new FaultyNetwork(server);
    server.on("connection", (client) => network.#connect(client, brokerPort));
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
    return network;
  }

  /** Good weather again. */
  calm(): void {
    Object.assign(this.weather, CALM);
  }

  /** Ends every connection, as a broken cable or a restarted balancer does. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(client: net.Socket, brokerPort: number): void {
    const ends = new Map<number, number>();
    const broker = net.connect(brokerPort, "127.0.0.1");
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
        this.ends.now -= ends.size;
        ends.clear();
      });
    }
    const produce = new Set<number>();
    const fetch = new Set<number>();
    let [line, waiting] = [Promise.resolve(), 0];
    frames(client, (frame) => {
      if (this.weather.away) return;
      const [kind, id] = [frame.readInt16BE(4), frame.readInt32BE(8)];
      if (kind === FETCH) fetch.add(id);
      if (kind === PRODUCE) produce.add(id);
      if (kind === END_TXN && this.weather.commitDelay > 0) {
        const half = this.weather.commitDelay / 2;
        ends.set(id, half);
        this.ends.now++;
        this.ends.ever++;
        // nothing else is asked on this connection before the answer
        return void setTimeout(() => broker.destroyed || broker.write(frame), half);
      }
      const pass = () => {
        if (kind === PRODUCE) this.passed.produced += frame.length;
        broker.write(frame);
      };
      const { produceRate } = this.weather;
      const takes = kind === PRODUCE && produceRate > 0 ? (frame.length / produceRate) * 1000 : 0;
      if (waiting === 0 && takes === 0) return pass();
      // as on a slow line: what is sent meanwhile waits at the sender
      client.pause();
      waiting++;
      line = line
        .then(() => new Promise<void>((resolve) => setTimeout(resolve, takes)))
        .then(() => {
          pass();
          if (--waiting === 0) client.resume();
        });
    });
    frames(broker, (frame) => {
      if (this.weather.away) return;
      const ending = ends.get(frame.readInt32BE(4));
      if (ending !== undefined) {
        ends.delete(frame.readInt32BE(4));
        setTimeout(() => {
          this.ends.now--;
          if (!client.destroyed) client.write(frame);
        }, ending);
        return;
      }
      if (fetch.delete(frame.readInt32BE(4))) this.passed.fetched += frame.length;
      if (!produce.delete(frame.readInt32BE(4))) return void client.write(frame);
      if (this.weather.notLeader > 0) {
        this.weather.notLeader--;
        this.tampered++;
        sayNotLeader(frame);
      }
      if (this.weather.produceDelay === 0) return void client.write(frame);
      this.tampered++;
      setTimeout(() => client.destroyed || client.write(frame), this.weather.produceDelay);
    });
    client.resume();
  }
}

/** Calls back with every whole frame, its size included. */
function frames(socket: net.Socket, each: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const end = 4 + rest.readInt32BE(0);
      if (rest.length < end) return;
      each(Buffer.from(rest.subarray(0, end)));
      rest = rest.subarray(end);
    }
  });
}

/** Puts the error into every partition of a produce response. */
function sayNotLeader(frame: Buffer): void {
  let at = 8;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = frame[at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const skip = (bytes: number) => {
    at += bytes;
  };
  const tags = () => {
    for (let n = varint(); n > 0; n--) {
      varint();
      skip(varint());
    }
  };
  tags();
  for (let topics = varint() - 1; topics > 0; topics--) {
    skip(varint() - 1);
    for (let partitions = varint() - 1; partitions > 0; partitions--) {
      frame.writeInt16BE(NOT_LEADER_OR_FOLLOWER, at + 4);
      skip(4 + 2 + 24);
      for (let errors = varint() - 1; errors > 0; errors--) {
        skip(4);
        skip(Math.max(0, varint() - 1));
        tags();
      }
      skip(Math.max(0, varint() - 1));
      tags();
    }
    tags();
  }
}
