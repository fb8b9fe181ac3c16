import type { ExecuteResult } from "../cells/execution.ts";
import type { ExecuteReply, ExecuteRequest, ExecuteRequestMetadata, Page } from "../messages/execute.ts";
import type { Message } from "../messages/header.ts";
import type { KernelServer } from "./kernel-server.ts";

/** An error that is not the cell's. */
type Failure = Omit<Extract<ExecuteResult, { status: "error" }>, "journal" | "deleted">;
type Task = { readonly request: Message<ExecuteRequest> } | { readonly turn: () => void };

/** Execute requests, one after the other; and whatever else has to wait until they are done. */
export class ExecuteQueue {
  readonly #server: KernelServer;
  readonly #tasks: Task[] = [];
  #current: Message<ExecuteRequest> | undefined;
  #executed: ((result: ExecuteResult | Failure) => void) | undefined;
  #draining = false;
  readonly #counter: { count: number };
  readonly #subshell: string | undefined;

  /** @param counter the number of the last execution, one for all queues of the kernel */
  constructor(server: KernelServer, counter: { count: number }, subshell?: string) {
    this.#server = server;
    this.#counter = counter;
    this.#subshell = subshell;
  }

  /** The request whose cell is busy. */
  get current(): Message<ExecuteRequest> | undefined {
    return this.#current;
  }

  add(request: Message<ExecuteRequest>): void {
    this.#tasks.push({ request });
    void this.#drain();
  }

  /** Resolves when all requests that came before are done. */
  turn(): Promise<void> {
    if (!this.#draining) return Promise.resolve();
    return new Promise((turn) => this.#tasks.push({ turn }));
  }

  executed(result: ExecuteResult): void {
    this.#executed?.(result);
  }

  /** The kernel failed at the running request. */
  failed(why: string): void {
    const evalue = `the kernel failed at this cell: ${why}`;
    this.#executed?.({
      status: "error",
      ename: "KernelError",
      evalue,
      traceback: [evalue],
      executionCount: this.#counter.count,
    });
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
      if ("turn" in task) task.turn();
      else await this.#run(task.request);
    }
    this.#draining = false;
  }

  async #run(request: Message<ExecuteRequest>): Promise<void> {
    const { content, header } = request;
    if (typeof content.code !== "string") {
      this.#server.refuse(request, "it has no code");
      return;
    }
    this.#current = request;
    this.#server.status("busy", header);
    const counted = content.silent !== true && content.store_history !== false;
    if (counted) this.#counter.count++;
    const { count } = this.#counter;
    if (content.silent !== true)
      this.#server.publish("execute_input", { code: content.code, execution_count: count }, header);
    if (counted) this.#server.history.add(count, content.code);

    const executed = new Promise<ExecuteResult | Failure>((resolve) => {
      this.#executed = resolve;
    });
    this.#server.toCells({
      kind: "execute",
      request: { ...executeRequest(request), subshell: this.#subshell },
      parent: header,
      allowStdin: content.allow_stdin !== false,
    });
    const result = await executed;

    const deleted = "deleted" in result && result.deleted;
    const stops = result.status === "error" && !deleted && content.stop_on_error !== false;
    const behind = stops ? await this.#waitingBehind() : [];
    this.#current = undefined;
    const metadata = "journal" in result ? { millrace: result.journal } : {};
    this.#server.reply("execute_reply", reply(result), request, "shell", metadata);
    this.#server.status("idle", header);
    this.#abort(behind);
  }

  /** The requests that came in behind a failed one. Whatever a client sends once it knows of the failure is not among them. */
  async #waitingBehind(): Promise<Task[]> {
    // Requests that were sent together may still be in the socket: a moment lets them in.
    await new Promise((resolve) => setTimeout(resolve, 10));
    return this.#tasks.splice(0);
  }

  /** Aborts what waits behind the running cell, saying why. */
  abortWaiting(why: string): void {
    this.#abort(this.#tasks.splice(0), why);
  }

  /** Answers requests without running them. */
  #abort(waiting: readonly Task[], why = "an earlier cell failed, so this one was not run"): void {
    for (const task of waiting) {
      if ("turn" in task) {
        task.turn();
        continue;
      }
      const { header } = task.request;
      this.#server.status("busy", header);
      this.#server.reply("execute_reply", aborted(why), task.request);
      this.#server.status("idle", header);
    }
  }
}

const aborted = (evalue: string): ExecuteReply => ({
  status: "aborted",
  ename: "Aborted",
  evalue,
  traceback: [evalue],
});

function executeRequest({ content, metadata }: Message<ExecuteRequest>) {
  const { cellId, deletedCells } = metadata as ExecuteRequestMetadata;
  return {
    code: content.code,
    cellId: typeof cellId === "string" ? cellId : undefined,
    deletedCells: Array.isArray(deletedCells) ? deletedCells : undefined,
    silent: content.silent,
    storeHistory: content.store_history,
    userExpressions: content.user_expressions ?? {},
    headless: content.allow_stdin === false,
  };
}

function reply(result: ExecuteResult | Failure): ExecuteReply {
  const { executionCount: execution_count } = result;
  if (result.status === "ok")
    return { status: "ok", execution_count, user_expressions: result.userExpressions, payload: result.pages.map(page) };
  const { ename, evalue, traceback } = result;
  return { status: "error", execution_count, ename, evalue, traceback };
}

const page = (data: Readonly<Record<string, unknown>>): Page => ({ source: "page", data, start: 0 });
