import { randomBytes } from "node:crypto";
import { after } from "node:test";
import { EmbeddedBroker } from "../../kernel/broker/embedded-broker.ts";

let own: Promise<EmbeddedBroker> | undefined;
// here, not where it starts: a hook set while a test runs belongs to that test, and the broker would end with it
after(async () => (await own)?.stop());

/**
 * The bootstrap servers of a real broker for this test file: the one `npm test` started for the whole run
 * (`MILLRACE_TEST_BROKER`), else an own one that ends with the file. Tests use topics and groups of their own on it.
 */
export async function sharedBroker(): Promise<string> {
  return process.env.MILLRACE_TEST_BROKER ?? ownBroker();
}

/** A broker that no other test file uses, for tests that look at all of it. */
export async function ownBroker(): Promise<string> {
  own ??= EmbeddedBroker.start();
  return (await own).bootstrapServers;
}

/** A topic or group name no other test uses. */
export const uniqueName = (stem: string) => `${stem}-${randomBytes(4).toString("hex")}`;
