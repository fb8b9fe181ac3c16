import type { MessagePort } from "node:worker_threads";
import type { CellOutputs } from "../cells/outputs.ts";
import type { Header } from "../messages/header.ts";
import type { Publications } from "../messages/messages.ts";
import { askInput } from "./ask-input.ts";
import type { FromCells } from "./bridge.ts";
import { costOfMessage, costOfText, type Flow } from "./flow.ts";

/** A cell's output as messages whose parent is the request that ran it. */
export class PublishedOutputs implements CellOutputs {
  readonly input: CellOutputs["input"];
  readonly #server: MessagePort;
  readonly #flow: Flow;
  /** The request that ran the cell. */
  readonly parent: Header;

  constructor(server: MessagePort, flow: Flow, parent: Header, allowStdin: boolean) {
    this.#server = server;
    this.#flow = flow;
    this.parent = parent;
    if (allowStdin) this.input = (prompt, password) => askInput(server, parent, prompt, password);
  }

  stream(name: "stdout" | "stderr", text: string): void {
    this.#publish("stream", { name, text }, costOfText(text));
  }

  display(data: Record<string, unknown>, metadata: Record<string, unknown>, displayId: string): void {
    this.#publish("display_data", { data, metadata, transient: { display_id: displayId } }, costOf(data));
  }

  updateDisplay(data: Record<string, unknown>, metadata: Record<string, unknown>, displayId: string): void {
    this.#publish("update_display_data", { data, metadata, transient: { display_id: displayId } }, costOf(data));
  }

  clear(wait: boolean): void {
    this.#publish("clear_output", { wait }, costOfMessage([]));
  }

  result(executionCount: number, data: Record<string, unknown>, metadata: Record<string, unknown>): void {
    this.#publish("execute_result", { execution_count: executionCount, data, metadata }, costOf(data));
  }

  error({ ename, evalue, traceback }: Publications["error"]): void {
    this.#publish("error", { ename, evalue, traceback }, costOfMessage(traceback));
  }

  #publish<T extends keyof Publications>(type: T, content: Publications[T], cost: number): void {
    this.#flow.post(cost, () =>
      this.#server.postMessage({ kind: "publish", type, content, parent: this.parent, cost } satisfies FromCells),
    );
  }
}

const costOf = (data: Readonly<Record<string, unknown>>): number => costOfMessage(Object.values(data));
