import { type MessagePort, workerData } from "node:worker_threads";
import type { RegistryAnswer, RegistryRequest } from "./registry.ts";

/** Asks the registry for {@link Registry}, whose thread waits meanwhile. One request at a time. */
const { signal, timeout, port } = workerData as { signal: SharedArrayBuffer; timeout: number; port: MessagePort };
const flag = new Int32Array(signal);

async function ask({ url, method, headers, body }: RegistryRequest): Promise<RegistryAnswer> {
  try {
    const answer = await fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(timeout),
      ...(body !== undefined && { body }),
    });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    const { message, cause } = error as Error;
    return { status: 0, text: cause instanceof Error ? cause.message : message };
  }
}

port.on("message", async (request: RegistryRequest) => {
  port.postMessage(await ask(request));
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
});
