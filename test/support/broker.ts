import { randomBytes } from "node:crypto";
import { after } from "node:test";
import { EmbeddedBroker } from "../../kernel/broker/embedded-broker.ts";

let own: Promise<EmbeddedBroker> | undefined;

/**
 * The bootstrap servers of a real broker for this test file: the one `npm test` started for the whole run
 * (`MILLRACE_TEST_BROKER`), else an own one that ends with the file. Tests use topics and groups of their own on it.
 */
export async function sharedBroker(): Promise<string> {
  if (process.env.MILLRACE_TEST_BROKER) return process.env.MILLRACE_TEST_BROKER;
  if (own === undefined) {
    own = EmbeddedBroker.start();
    after(async () => (await own)?.stop());
  }
  return (await own).bootstrapServers;
}

/** A topic or group name no other test uses. */
export const uniqueName = (stem: string) => `${stem}-${randomBytes(4).toString("hex")}`;
