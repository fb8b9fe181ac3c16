import type { MessagePort } from "node:worker_threads";
import type { ExecuteRequest, ExecuteResult } from "../cells/execution.ts";
import type { LoadedCell } from "../debugger/debugged-cells.ts";
import type { Header } from "../messages/header.ts";
import type { Publications } from "../messages/messages.ts";

/** From the protocol thread to the thread that runs cells. */
export type ToCells =
  | {
      readonly kind: "execute";
      readonly request: ExecuteRequest;
      readonly parent: Header;
      readonly allowStdin: boolean;
    }
  /** To be acknowledged at once: silence means the thread is blocked. */
  | { readonly kind: "interrupt"; readonly id: number }
  | {
      readonly kind: "comm";
      readonly id: number;
      readonly type: CommType;
      readonly content: any;
      readonly buffers: readonly Uint8Array[];
      readonly parent: Header;
    }
  /** A debugger wants to know each cell before it runs, or no longer. Told at once are those that ran before. */
  | { readonly kind: "debug"; readonly on: boolean }
  /** The debugger has taken note of a cell, which may run now. */
  | { readonly kind: "noted"; readonly id: number }
  | { readonly kind: "shutdown" };

export type CommType = "comm_open" | "comm_msg" | "comm_close";

/** And back. */
export type FromCells =
  | { readonly kind: "executed"; readonly parent: Header; readonly result: ExecuteResult }
  /** The kernel itself failed at a request, which gets an error for an answer. */
  | { readonly kind: "failed"; readonly parent: Header; readonly why: string }
  | Publication
  | { readonly kind: "interrupting"; readonly id: number }
  | { readonly kind: "commHandled"; readonly id: number }
  /** The kernel itself answers comms to this target, whatever cells run. */
  | { readonly kind: "commTarget"; readonly target: string; readonly own: boolean }
  | {
      readonly kind: "input";
      readonly prompt: string;
      readonly password: boolean;
      readonly parent: Header;
      readonly answer: InputAnswer;
    }
  /** A cell was compiled; without an id it ran before. */
  | { readonly kind: "loaded"; readonly id?: number; readonly cell: LoadedCell }
  | { readonly kind: "closed" };

export interface Publication<T extends keyof Publications = keyof Publications> {
  readonly kind: "publish";
  readonly type: T;
  readonly content: Publications[T];
  readonly parent: Header | Record<string, never>;
  readonly metadata?: Record<string, unknown>;
  readonly buffers?: readonly Uint8Array[];
  /** What is told back to the sender's `Flow` when it has been sent. */
  readonly cost: number;
}

/** How a blocked thread gets its line: a message on `port`, then a 1 at `flag[0]`. */
export interface InputAnswer {
  readonly port: MessagePort;
  readonly flag: Int32Array<SharedArrayBuffer>;
}

export type InputResult = { readonly value: string } | { readonly interrupted: true };
