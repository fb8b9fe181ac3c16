import assert from "node:assert/strict";
import net from "node:net";
import { after, test } from "node:test";
import type { MillraceError } from "../../lib/error.ts";
import { BrokerConnection } from "../../lib/log/broker-connection.ts";
import { fetchRequest } from "../../lib/log/fetch-request.ts";
import { Cluster } from "../../lib/log/index.ts";
import { sharedBroker } from "../support/broker.ts";

/** The real broker, seen through a proxy that lowers the versions it says it offers: API key -> the last one. */
async function olderBroker(last: Readonly<Record<number, number>>): Promise<string> {
  const [host, port] = (await sharedBroker()).split(":");
  const sockets = new Set<net.Socket>();
  const proxy = net.createServer((client) => {
    const broker = net.connect(Number(port), host);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => [client, broker].map((end) => end.destroy()));
    }
    client.pipe(broker);
    let greeting: Buffer | undefined = Buffer.alloc(0);
    broker.on("data", (chunk) => {
      if (greeting === undefined) return client.write(chunk);
      greeting = Buffer.concat([greeting, chunk]);
      if (greeting.length < 4 || greeting.length < 4 + greeting.readInt32BE(0)) return;
      // size, correlation id, error code, count; then key, first and last version of each API
      for (let at = 14; at < greeting.length; at += 6) {
        const lowered = last[greeting.readInt16BE(at)];
        if (lowered !== undefined) greeting.writeInt16BE(lowered, at + 4);
      }
      client.write(greeting);
      greeting = undefined;
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  after(() => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(proxy.address() as net.AddressInfo).port}`;
}

const METADATA = 3;
const FETCH = 1;

test("a broker without a version we need is named, with the version and what it offers", async () => {
  const server = await olderBroker({ [METADATA]: 9 });
  await assert.rejects(Cluster.connect({ bootstrapServers: server }), (error: MillraceError) => {
    assert.equal(error.code, "UNSUPPORTED_BROKER");
    assert.match(error.message, new RegExp(`${server} does not offer Metadata version 12 \\(it offers 0 to 9\\)`));
    assert.match(error.message, /Kafka 3\.0 or newer/);
    return true;
  });
});

test("only what is used has to be there", async () => {
  const server = await olderBroker({ [FETCH]: 11 });
  const [host, port] = server.split(":");
  const connection = new BrokerConnection(host!, Number(port), { bootstrapServers: server });
  try {
    await connection.connected();
    const limits = { isolation: "read_committed", maxBytes: 1000, partitionMaxBytes: 1000, maxWait: 10 } as const;
    const request = fetchRequest([{ topic: "any", partition: 0, offset: 0 }], limits);
    await assert.rejects(connection.send(request), { code: "UNSUPPORTED_BROKER" });
  } finally {
    await connection.close();
  }
});
