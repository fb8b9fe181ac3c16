import { createRequire } from "node:module";
import { inspect } from "node:util";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { notebookHost } from "../../lib/run/host.ts";
import { currentRun } from "../cells/cell-run.ts";
import type { Interpreter } from "../cells/interpreter.ts";
import { servePanels } from "../front-end/serve-panels.ts";
import type { FromCells, ToCells } from "./bridge.ts";
import { CellReports } from "./cell-reports.ts";
import { Comms } from "./comms.ts";
import { Flow } from "./flow.ts";
import { PublishedOutputs } from "./published-outputs.ts";
import type { WireWorkerData } from "./worker.ts";

/** Joins an interpreter to the protocol thread and resolves when the kernel has stopped. */
export async function serve(interpreter: Interpreter, connectionFile: string): Promise<void> {
  const { port1: server, port2: cells } = new MessageChannel();
  const language = interpreter.language.connect();
  const flow = new Flow();
  const data: WireWorkerData = { connectionFile, cells, language, versions: versions(), flow: flow.shared };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: data,
    transferList: [cells, language],
    name: "millrace-wire",
  });
  const comms = new Comms(
    (message) => server.postMessage(message),
    flow,
    () => {
      const outputs = currentRun.getStore()?.outputs;
      return outputs instanceof PublishedOutputs ? outputs.parent : undefined;
    },
  );
  servePanels(notebookHost(), {
    cwd: interpreter.cwd,
    closeCell: (id) => interpreter.closeCell(id, "the cell was deleted"),
  });
  const reports = new CellReports(interpreter, (message) => server.postMessage(message));
  const parts: Parts = { interpreter, server, flow, comms, reports, interrupted: new Set() };
  server.on("message", (message: ToCells) => handle(message, parts));
  process.on("SIGTERM", () => worker.postMessage("stop"));
  await new Promise<void>((resolve, reject) => {
    worker.on("message", (message) => {
      if (message === "stopped") resolve();
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });
}

interface Parts {
  readonly interpreter: Interpreter;
  readonly server: MessagePort;
  readonly flow: Flow;
  readonly comms: Comms;
  readonly reports: CellReports;
  /** The interrupts that were taken note of. */
  readonly interrupted: Set<number>;
}

function handle(message: ToCells, parts: Parts): void {
  const { interpreter, server, flow, comms, reports } = parts;
  const answer = (from: FromCells) => server.postMessage(from);
  switch (message.kind) {
    case "execute": {
      const outputs = new PublishedOutputs(server, flow, message.parent, message.allowStdin);
      const { parent } = message;
      void interpreter
        .execute(message.request, outputs)
        .then((result) => answer({ kind: "executed", parent, result }))
        // A request without a reply would leave the client waiting for ever, and all that is queued behind it.
        .catch((error: unknown) => answer({ kind: "failed", parent, why: inspect(error) }));
      break;
    }
    case "interrupt":
      // Asked again where a listener of the cell's signal had to be terminated: the cell that runs by then may be another.
      if (!parts.interrupted.has(message.id)) {
        parts.interrupted.add(message.id);
        interpreter.interrupt();
      }
      answer({ kind: "interrupting", id: message.id });
      break;
    case "comm":
      // Whatever the user's callback does to this stack, the client is to see the end of its request.
      answer({ kind: "commHandled", id: message.id });
      comms.receive(message);
      break;
    case "debug":
      reports.watch(message.on);
      break;
    case "noted":
      reports.noted(message.id);
      break;
    case "shutdown":
      void Promise.race([interpreter.close(), new Promise((resolve) => setTimeout(resolve, 2000))]).then(() =>
        answer({ kind: "closed" }),
      );
      break;
  }
}

function versions(): WireWorkerData["versions"] {
  const require = createRequire(import.meta.url);
  return { kernel: require("../package.json").version, typescript: require("typescript/package.json").version };
}
