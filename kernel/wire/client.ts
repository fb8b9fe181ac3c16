import { createRequire } from "node:module";
import { inspect } from "node:util";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { notebookHost } from "../../lib/run/host.ts";
import type { Interpreter } from "../cells/interpreter.ts";
import type { CellOutputs } from "../cells/outputs.ts";
import { servePanels } from "../front-end/serve-panels.ts";
import type { Header } from "../messages/header.ts";
import type { Publications } from "../messages/messages.ts";
import { askInput } from "./ask-input.ts";
import type { FromCells, ToCells } from "./bridge.ts";
import { CellReports } from "./cell-reports.ts";
import { Comms } from "./comms.ts";
import type { WireWorkerData } from "./worker.ts";

/** Joins an interpreter to the protocol thread and resolves when the kernel has stopped. */
export async function serve(interpreter: Interpreter, connectionFile: string): Promise<void> {
  const { port1: server, port2: cells } = new MessageChannel();
  const language = interpreter.language.connect();
  const data: WireWorkerData = { connectionFile, cells, language, versions: versions() };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: data,
    transferList: [cells, language],
    name: "millrace-wire",
  });
  const comms = new Comms((message) => server.postMessage(message));
  servePanels(notebookHost(), interpreter.cwd);
  const reports = new CellReports(interpreter, (message) => server.postMessage(message));
  server.on("message", (message: ToCells) => handle(message, { interpreter, server, comms, reports }));
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
  readonly comms: Comms;
  readonly reports: CellReports;
}

function handle(message: ToCells, { interpreter, server, comms, reports }: Parts): void {
  const answer = (from: FromCells) => server.postMessage(from);
  switch (message.kind) {
    case "execute": {
      const outputs = new PublishedOutputs(server, message.parent, message.allowStdin);
      const { parent } = message;
      void interpreter
        .execute(message.request, outputs)
        .then((result) => answer({ kind: "executed", parent, result }))
        // A request without a reply would leave the client waiting for ever, and all that is queued behind it.
        .catch((error: unknown) => answer({ kind: "failed", parent, why: inspect(error) }));
      break;
    }
    case "interrupt":
      answer({ kind: "interrupting", id: message.id });
      interpreter.interrupt();
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

/** A cell's output as messages whose parent is the request that ran it. */
class PublishedOutputs implements CellOutputs {
  readonly input: CellOutputs["input"];
  readonly #server: MessagePort;
  readonly #parent: Header;

  constructor(server: MessagePort, parent: Header, allowStdin: boolean) {
    this.#server = server;
    this.#parent = parent;
    if (allowStdin) this.input = (prompt, password) => askInput(server, parent, prompt, password);
  }

  stream(name: "stdout" | "stderr", text: string): void {
    this.#publish("stream", { name, text });
  }

  display(data: Record<string, unknown>, metadata: Record<string, unknown>, displayId: string): void {
    this.#publish("display_data", { data, metadata, transient: { display_id: displayId } });
  }

  updateDisplay(data: Record<string, unknown>, metadata: Record<string, unknown>, displayId: string): void {
    this.#publish("update_display_data", { data, metadata, transient: { display_id: displayId } });
  }

  clear(wait: boolean): void {
    this.#publish("clear_output", { wait });
  }

  result(executionCount: number, data: Record<string, unknown>, metadata: Record<string, unknown>): void {
    this.#publish("execute_result", { execution_count: executionCount, data, metadata });
  }

  error({ ename, evalue, traceback }: Publications["error"]): void {
    this.#publish("error", { ename, evalue, traceback });
  }

  #publish<T extends keyof Publications>(type: T, content: Publications[T]): void {
    this.#server.postMessage({ kind: "publish", type, content, parent: this.#parent } satisfies FromCells);
  }
}

function versions(): WireWorkerData["versions"] {
  const require = createRequire(import.meta.url);
  return { kernel: require("../package.json").version, typescript: require("typescript/package.json").version };
}
