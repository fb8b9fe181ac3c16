import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { Gateway, type GatewayOptions } from "../../kernel/gateway/gateway.ts";
import { fetchRanges, heldRanges } from "../../kernel/promote/fetch-ranges.ts";
import { Cluster, Producer } from "../../lib/log/index.ts";
import { byteColumn, cell } from "../../lib/run/job/samples.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { until } from "../support/until.ts";

const TOKEN = "0123456789abcdef";

describe("the gateway", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.connect({ bootstrapServers: await sharedBroker() });
  });
  after(() => cluster.close());

  test("writes readings keyed and in order, and says how many Kafka has; lines that are none are named", async () => {
    const topic = await newTopic(2);
    await withGateway({ inlet: { topic, partitions: 2, key: "device", time: "at" } }, async (gateway) => {
      const phone = await Client.open(`${gateway.url}/in`);
      for (let i = 0; i < 100; i++) phone.send(`{"device":"p${i % 4}","at":${i},"n":${i}}\nno reading`);
      await until("all accepted", () => phone.latest("accepted") === 100);
      assert.equal(phone.all("rejected").length, 100);
      assert.deepEqual(phone.all("rejected")[0], [{ line: 2, reason: "it is not JSON" }]);
      const records = await recordsOf(topic);
      assert.equal(records.length, 100);
      for (let device = 0; device < 4; device++) {
        const own = records.filter(({ key }) => key === `p${device}`);
        assert.deepEqual(
          own.map(({ value, timestamp }) => [JSON.parse(value).n, timestamp]),
          Array.from({ length: 25 }, (_, i) => [device + 4 * i, device + 4 * i]),
        );
      }
      assert.deepEqual((await health(gateway)).in.accepted, 100);
    });
  });

  test("holds phones back while Kafka is slower than they are: what waits is bounded, and nothing is lost", async () => {
    const topic = await newTopic(1);
    const limit = 64 * 1024;
    await withGateway({ inlet: { topic, partitions: 1 }, maxPendingBytes: limit }, async (gateway) => {
      const phone = await Client.open(`${gateway.url}/in`);
      const text = JSON.stringify({ filler: "x".repeat(1000) });
      const count = 10_000;
      for (let i = 0; i < count; i++) phone.send(text);
      await until("all accepted", () => phone.latest("accepted") === count);
      const { in: counts } = await health(gateway);
      // what one read of the socket had brought when it was held back comes on top
      assert.ok(counts.pendingBytesAtMost < limit + 256 * 1024, `${counts.pendingBytesAtMost} bytes waited`);
    });
  });

  test("a message that is too long closes its connection with 1009; others go on", async () => {
    const topic = await newTopic(1);
    await withGateway({ inlet: { topic, partitions: 1 }, maxMessageBytes: 100 }, async (gateway) => {
      const [long, short] = [await Client.open(`${gateway.url}/in`), await Client.open(`${gateway.url}/in`)];
      long.send(`{"a":"${"x".repeat(200)}"}`);
      assert.equal(await long.closed, 1009);
      short.send("{}");
      await until("accepted", () => short.latest("accepted") === 1);
    });
  });

  test("records come to every browser: the last ones first, then new ones, of the topics it asks for", async () => {
    const [a, b] = [await newTopic(1), uniqueName("later")];
    await produce(a, ['{"n":1}', "no json"]);
    await withGateway({ outlet: [a, b] }, async (gateway) => {
      await until("the last records", async () => {
        const browser = await Client.open(`${gateway.url}/out`);
        return browser.received.length === 2;
      });
      const [both, one] = [await Client.open(`${gateway.url}/out`), await Client.open(`${gateway.url}/out?topic=${b}`)];
      await cluster.createTopic(b, { partitions: 1 });
      await produce(b, ['{"n":2}']);
      await until(
        "a record of a topic that was not there",
        () => one.received.length === 1 && both.received.length === 3,
      );
      assert.deepEqual(
        both.received.map(({ topic, offset, key, value }) => [topic, offset, key, value]),
        [
          [a, 0, "k", { n: 1 }],
          [a, 1, "k", "no json"],
          [b, 0, "k", { n: 2 }],
        ],
      );
    });
  });

  test("a browser that does not read misses records and is told how many; another one gets all", async () => {
    const topic = await newTopic(1);
    await withGateway({ outlet: [topic], maxBufferedBytes: 1024 * 1024 }, async (gateway) => {
      const [slow, quick] = [await Client.open(`${gateway.url}/out`), await Client.open(`${gateway.url}/out`)];
      slow.socket.pause();
      const text = JSON.stringify("x".repeat(20_000));
      const count = 1500;
      // no more at a time than may wait for a connection, so that the quick one misses nothing on a slow machine either
      const most = 30;
      for (let i = 0; i < count; i += most) {
        await produce(topic, Array(most).fill(text));
        await until("the quick one has all so far", () => quick.received.length === i + most);
      }
      assert.equal(quick.all("dropped").length, 0);
      slow.socket.resume();
      const dropped = await until("the slow one is told", () => slow.latest("dropped") as number);
      assert.ok(dropped > 0);
      await until("the rest", () => slow.records.length + dropped === count);
    });
  });

  const refused: readonly { name: string; path: string; headers?: Record<string, string>; status: number }[] = [
    { name: "no token", path: "/in", status: 401 },
    { name: "a path that is none", path: "/other", headers: { authorization: `Bearer ${TOKEN}` }, status: 404 },
    { name: "a topic not given out", path: "/out?topic=x", headers: { authorization: `Bearer ${TOKEN}` }, status: 404 },
  ];
  test("refuses before a websocket is there", async () => {
    await withGateway({ token: TOKEN, maxClients: 1 }, async (gateway) => {
      for (const { name, path, headers = {}, status } of refused)
        assert.equal(await statusOf(`${gateway.url}${path}`, headers), status, name);
      const headers = { authorization: `Bearer ${TOKEN}` };
      await Client.open(`${gateway.url}/out`, headers);
      assert.equal(await statusOf(`${gateway.url}/out`, headers), 503, "one connection too many");
    });
  });

  test("does not open the door to other machines without a token, nor with one that is guessed", async () => {
    for (const options of [{ host: "0.0.0.0" }, { host: "0.0.0.0", token: "short" }])
      await assert.rejects(Gateway.start(cluster, { port: 0, outlet: [], ...options }), { code: "GATEWAY_TOKEN" });
  });

  test("a connection that does not answer is ended", async () => {
    const topic = await newTopic(1);
    await withGateway({ outlet: [topic], heartbeat: 500 }, async (gateway) => {
      const [silent, other] = [await Client.open(`${gateway.url}/out`), await Client.open(`${gateway.url}/out`)];
      silent.socket.pause(); // reads no ping
      await until("one connection left", async () => (await health(gateway)).connections === 1);
      assert.equal(other.socket.readyState, WebSocket.OPEN);
    });
  });

  test("stopping, it writes what it took and tells everybody to go", async () => {
    const topic = await newTopic(1);
    const gateway = await Gateway.start(cluster, {
      host: "127.0.0.1",
      port: 0,
      inlet: { topic, partitions: 1 },
      outlet: [topic],
    });
    const [phone, browser] = [await Client.open(`${gateway.url}/in`), await Client.open(`${gateway.url}/out`)];
    phone.send("{}");
    await until("taken", () => phone.latest("accepted") === 1);
    await gateway.close();
    assert.deepEqual([await phone.closed, await browser.closed], [1001, 1001]);
    assert.equal((await recordsOf(topic)).length, 1);
  });

  async function newTopic(partitions: number): Promise<string> {
    const topic = uniqueName("gateway");
    await cluster.createTopic(topic, { partitions, config: { "retention.ms": "-1" } });
    return topic;
  }

  async function withGateway(
    options: Partial<GatewayOptions>,
    use: (gateway: Gateway) => Promise<void>,
  ): Promise<void> {
    const gateway = await Gateway.start(cluster, { host: "127.0.0.1", port: 0, outlet: [], ...options });
    try {
      await use(gateway);
    } finally {
      await gateway.close();
    }
  }

  async function produce(topic: string, values: readonly string[]): Promise<void> {
    const producer = await Producer.create(cluster);
    await producer.send(topic, 0, {
      count: values.length,
      keys: byteColumn(
        values.map(() => Buffer.from("k")),
        false,
      ),
      values: byteColumn(
        values.map((value) => Buffer.from(value)),
        true,
      ),
      timestamps: new Float64Array(values.length).fill(Date.now()),
    });
    await producer.flush();
    await producer.close();
  }

  async function recordsOf(topic: string) {
    const samples = await fetchRanges(cluster, topic, await heldRanges(cluster, topic, { 0: [0, 1e9], 1: [0, 1e9] }));
    return samples.flatMap(({ columns }) =>
      Array.from({ length: columns.count }, (_, row) => ({
        key: Buffer.from(cell(columns.keys, row) ?? []).toString(),
        value: Buffer.from(cell(columns.values, row)!).toString(),
        timestamp: columns.timestamps[row],
      })),
    );
  }
});

const health = async (gateway: Gateway) => (await fetch(`${gateway.url}/health`)).json() as Promise<any>;

/** A websocket that keeps what it receives. */
class Client {
  readonly received: any[] = [];
  readonly closed: Promise<number>;
  readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data) => this.received.push(JSON.parse(String(data))));
    this.closed = new Promise((resolve) => socket.once("close", resolve));
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<Client> {
    const client = new Client(new WebSocket(url.replace(/^http/, "ws"), { headers }));
    await once(client.socket, "open");
    return client;
  }

  send(text: string): void {
    this.socket.send(text);
  }

  get records(): any[] {
    return this.received.filter((message) => message.topic !== undefined);
  }

  all(field: string): any[] {
    return this.received.map((message) => message[field]).filter((value) => value !== undefined);
  }

  latest(field: string): unknown {
    return this.all(field).at(-1);
  }
}

/** The HTTP status with which a websocket is refused. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), { headers });
  socket.on("error", () => {}); // closing what never opened
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}
