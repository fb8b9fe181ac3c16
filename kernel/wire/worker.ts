// The protocol thread: sockets, and all that can be answered without running user code.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { LanguagePort } from "../language/client.ts";
import type { FromCells } from "./bridge.ts";
import { dependants, endDependants, signal } from "./child-processes.ts";
import { readConnectionFile } from "./connection-file.ts";
import { Flow } from "./flow.ts";
import { KernelServer } from "./kernel-server.ts";
import { watchParent } from "./parent-watch.ts";
import { Sockets } from "./sockets.ts";

export interface WireWorkerData {
  readonly connectionFile: string;
  readonly cells: MessagePort;
  readonly language: MessagePort;
  readonly versions: { readonly kernel: string; readonly typescript: string };
  /** The shared memory of a `Flow`. */
  readonly flow: SharedArrayBuffer;
}

/** How long the thread that runs cells has to close what its cells opened, in ms. Jupyter kills a kernel after 5 s. */
const CLOSING = 2500;
/** How long the processes that cells started have to end by themselves, in ms. */
const CHILDREN_END = 1000;

const { connectionFile, cells, language, versions, flow } = workerData as WireWorkerData;
const info = readConnectionFile(connectionFile);
const sockets = await Sockets.bind(info);
const server = new KernelServer({
  sockets,
  cells,
  language: new LanguagePort(language),
  info,
  versions,
  flow: new Flow(flow),
  stopped: stop,
});
// A fault at one message must not take the kernel along, with every variable in it.
process.on("uncaughtException", (error) => process.stderr.write(`millrace: ${(error as Error).stack ?? error}\n`));
server.start();
parentPort!.postMessage("ready");
watchParent(stop);
parentPort!.on("message", stop);

let stopping = false;

/** Asks the other thread to close everything; a thread that cannot is ended with the process. */
function stop(): void {
  if (stopping) return;
  stopping = true;
  const end = () => {
    for (const child of dependants()) signal(child, "SIGKILL");
    process.kill(process.pid, "SIGKILL");
  };
  const timer = setTimeout(end, CLOSING);
  cells.on("message", (message: FromCells) => {
    if (message.kind !== "closed") return;
    clearTimeout(timer);
    void Promise.all([endDependants(CHILDREN_END), sockets.close()]).then(() => {
      // Sent but unread messages linger a moment; then the main thread's exit takes this one along.
      setTimeout(() => parentPort!.postMessage("stopped"), 50);
      setTimeout(end, 1000);
    });
  });
  server.toCells({ kind: "shutdown" });
}
