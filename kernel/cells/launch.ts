import { MessageChannel } from "node:worker_threads";

const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
port2.on("message", () => {
  const work = waiting.shift();
  if (waiting.length === 0) port2.unref();
  work?.();
});
port2.unref();

/**
 * Starts work on a stack of its own. `Runtime.terminateExecution` discards everything on the stack at that moment; the caller, waiting here, is not
 * on it. A message port rather than `setImmediate`, whose other callbacks of the same turn would be lost too.
 */
export function launch<T>(work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    waiting.push(() => work().then(resolve, reject));
    port2.ref();
    port1.postMessage(null);
  });
}
