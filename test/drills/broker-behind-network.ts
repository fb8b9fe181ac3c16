import { EmbeddedBroker, freePort } from "../../kernel/broker/embedded-broker.ts";
import { Cluster } from "../../lib/log/index.ts";
import { FaultyNetwork } from "./network.ts";

/** A broker with two listeners: a plain one, and one that clients reach through a network that can be made to misbehave. */
export async function brokerBehindNetwork(): Promise<{
  broker: EmbeddedBroker;
  network: FaultyNetwork;
  servers: string;
  cluster: Cluster;
  close(): Promise<void>;
}> {
  const [port, behind, front] = [await freePort(), await freePort(), await freePort()];
  const broker = await EmbeddedBroker.start({
    port,
    listeners: [{ name: "FRONT", protocol: "PLAINTEXT", port: behind }],
    properties: { "advertised.listeners": `PLAINTEXT://127.0.0.1:${port},FRONT://127.0.0.1:${front}` },
  });
  const network = await FaultyNetwork.start(front, behind);
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  return {
    broker,
    network,
    servers: `127.0.0.1:${front}`,
    cluster,
    async close() {
      await cluster.close();
      await network.close();
      await broker.stop();
    },
  };
}
