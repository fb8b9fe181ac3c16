import type { ExecuteRequest } from "../messages/execute.ts";
import type { Message } from "../messages/header.ts";
import type { InputReply } from "../messages/input.ts";
import type { FromCells, InputAnswer, InputResult } from "./bridge.ts";
import type { KernelServer } from "./kernel-server.ts";

type Question = Extract<FromCells, { kind: "input" }>;

/** Lines asked of the user. The thread that asks is blocked until the answer wakes it; this one goes on. */
export class StdinRequests {
  readonly #server: KernelServer;
  #waiting: InputAnswer | undefined;

  constructor(server: KernelServer) {
    this.#server = server;
  }

  /** @param request whose client is asked */
  ask({ prompt, password, answer }: Question, request: Message<ExecuteRequest> | undefined): void {
    if (request === undefined) {
      settle(answer, { interrupted: true });
      return;
    }
    this.#waiting = answer;
    this.#server.reply("input_request", { prompt, password }, request, "stdin");
  }

  answer({ content, header }: Message<InputReply>): void {
    if (header.msg_type === "input_reply") this.#settle({ value: content.value ?? "" });
  }

  interrupt(): void {
    this.#settle({ interrupted: true });
  }

  #settle(result: InputResult): void {
    if (this.#waiting !== undefined) settle(this.#waiting, result);
    this.#waiting = undefined;
  }
}

function settle({ port, flag }: InputAnswer, result: InputResult): void {
  port.postMessage(result);
  port.close();
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
}
