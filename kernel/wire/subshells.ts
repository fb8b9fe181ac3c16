import { randomUUID } from "node:crypto";
import type { ExecuteRequest } from "../messages/execute.ts";
import type { Header, Message } from "../messages/header.ts";
import { ExecuteQueue } from "./execute-queue.ts";
import type { KernelServer } from "./kernel-server.ts";

/**
 * The parent shell and its subshells (JEP 91): each a queue of its own. Cells of different queues share the one JavaScript thread: a subshell's cell
 * runs whenever the others' await something. What needs no user code is answered at once in any of them.
 */
export class Subshells {
  readonly main: ExecuteQueue;
  readonly #server: KernelServer;
  readonly #children = new Map<string, ExecuteQueue>();
  /** Cells of a deleted subshell that were still running. */
  readonly #leaving = new Set<ExecuteQueue>();
  readonly #counter = { count: 0 };

  constructor(server: KernelServer) {
    this.#server = server;
    this.main = new ExecuteQueue(server, this.#counter);
  }

  get ids(): string[] {
    return [...this.#children.keys()];
  }

  create(): string {
    const id = randomUUID();
    this.#children.set(id, new ExecuteQueue(this.#server, this.#counter, id));
    return id;
  }

  /** A cell that is running goes on to its end, what waits behind it is aborted. False when there is no such subshell. */
  delete(id: string): boolean {
    const queue = this.#children.get(id);
    if (queue === undefined) return false;
    this.#children.delete(id);
    queue.abortWaiting("its subshell was deleted, so this cell was not run");
    if (queue.current !== undefined) {
      this.#leaving.add(queue);
      void queue.turn().then(() => this.#leaving.delete(queue));
    }
    return true;
  }

  /** The queue a request is for; undefined where its subshell is not there. */
  of({ subshell_id: id }: Header): ExecuteQueue | undefined {
    return id === undefined || id === null || id === "" ? this.main : this.#children.get(id);
  }

  /** The request with this id, if its cell is running. */
  running(id: string | undefined): { queue: ExecuteQueue; request: Message<ExecuteRequest> } | undefined {
    for (const queue of [this.main, ...this.#children.values(), ...this.#leaving])
      if (queue.current !== undefined && queue.current.header.msg_id === id) return { queue, request: queue.current };
    return undefined;
  }
}
