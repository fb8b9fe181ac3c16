import path from "node:path";
import { start } from "../../kernel/demo/child.ts";

const main = path.resolve(import.meta.dirname, "../../kernel/cli/main.ts");

/** Simulated phones writing to a topic of their own at a steady rate until stopped. */
export async function startFeed(
  servers: string,
  topic: string,
  options: { rate?: number; devices?: number; partitions?: number } = {},
): Promise<{ stop(): Promise<void> }> {
  const { rate = 200, devices = 8, partitions = 2 } = options;
  const args = ["simulate", "phone", "--topic", topic, "--create", partitions, "--rate", rate, "--devices", devices];
  const feed = start(process.execPath, [main, ...args.map(String)], {
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: servers },
  });
  return {
    stop: async () => {
      await feed.stop();
    },
  };
}
