import { once } from "node:events";
import net from "node:net";

/** Bytes a second that memory is copied with: a buffer larger than the caches, the best of some rounds. */
export function copyRate(bytes = 128 * 2 ** 20, rounds = 6): number {
  const from = Buffer.alloc(bytes, 1);
  const to = Buffer.alloc(bytes);
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const began = process.hrtime.bigint();
    from.copy(to);
    best = Math.max(best, bytes / (Number(process.hrtime.bigint() - began) / 1e9));
  }
  return best;
}

/** Bytes a second that come in through a socket of this machine; sender and receiver are one thread. */
export async function socketRate(bytes = 128 * 2 ** 20): Promise<number> {
  const piece = Buffer.alloc(1 << 20, 1);
  const server = net.createServer(async (socket) => {
    for (let sent = 0; sent < bytes; sent += piece.length) if (!socket.write(piece)) await once(socket, "drain");
    socket.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const began = process.hrtime.bigint();
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  let received = 0;
  for await (const chunk of socket) received += (chunk as Buffer).length;
  server.close();
  return received / (Number(process.hrtime.bigint() - began) / 1e9);
}
