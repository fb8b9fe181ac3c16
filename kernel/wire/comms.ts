import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { types } from "node:util";
import { Refusal } from "../../lib/error.ts";
import { type CellRun, currentRun } from "../cells/cell-run.ts";
import { asJson } from "../display/json.ts";
import type { CommClose, CommMessage, CommOpen } from "../messages/comm.ts";
import type { Header } from "../messages/header.ts";
import type { FromCells, Publication, ToCells } from "./bridge.ts";
import { costOfMessage, type Flow } from "./flow.ts";

type Opened = (comm: Comm, data: unknown, buffers: readonly Uint8Array[]) => void;
type Incoming = Extract<ToCells, { kind: "comm" }>;
type Options = { readonly metadata?: Record<string, unknown>; readonly buffers?: readonly ArrayBufferView[] };

/** The client's message that is being heard. */
const heard = new AsyncLocalStorage<Header>({ name: "millrace.comm" });

/** The comms of a session; at `globalThis.comm` for cells. Callbacks run as part of the cell that set them, so their output goes there. */
export class Comms {
  readonly #send: (message: FromCells) => void;
  readonly #flow: Flow;
  readonly #targets = new Map<string, { readonly opened: Opened; readonly run: CellRun | undefined }>();
  readonly #open = new Map<string, Comm>();
  readonly #cellRequest: () => Header | undefined;

  /** @param cellRequest the request that ran the cell whose code is running */
  constructor(send: (message: FromCells) => void, flow: Flow, cellRequest: () => Header | undefined) {
    this.#cellRequest = cellRequest;
    this.#send = send;
    this.#flow = flow;
    const api = {
      open: (target: string, data: unknown = {}, options?: Options) => this.#openFromHere(target, data, options),
      register: (target: string, opened: Opened) => {
        const run = currentRun.getStore();
        this.#targets.set(target, { opened, run });
        this.#send({ kind: "commTarget", target, own: run === undefined });
      },
      unregister: (target: string) => {
        this.#targets.delete(target);
        this.#send({ kind: "commTarget", target, own: false });
      },
    };
    Object.defineProperty(globalThis, "comm", { value: api, configurable: true, writable: true });
  }

  receive({ type, content, buffers, parent }: Incoming): void {
    heard.run(parent, () => {
      if (type === "comm_open") this.#openFromClient(content as CommOpen, buffers);
      else {
        const comm = this.#open.get((content as CommMessage).comm_id);
        if (type === "comm_close") this.#open.delete((content as CommClose).comm_id);
        comm?.receive(type, (content as CommMessage).data, buffers);
      }
    });
  }

  publish(
    type: "comm_open" | "comm_msg" | "comm_close",
    content: CommOpen | CommMessage,
    { metadata = {}, buffers = [] }: Options = {},
  ): void {
    const bytes = buffers.map(bytesOf);
    const cost = costOfMessage(bytes);
    const message = {
      kind: "publish",
      type,
      content: { ...content, data: asJson(content.data ?? {}, "the data of a comm message") },
      parent: heard.getStore() ?? this.#cellRequest() ?? {},
      metadata: asJson(metadata, "the metadata of a comm message"),
      buffers: bytes,
      cost,
    };
    this.#flow.post(cost, () => this.#send(message as Publication));
  }

  forget(comm: Comm): void {
    this.#open.delete(comm.id);
  }

  #openFromHere(target: string, data: unknown, options?: Options): Comm {
    const comm = new Comm(this, randomUUID(), String(target), currentRun.getStore());
    this.publish("comm_open", { comm_id: comm.id, target_name: comm.target, data }, options);
    this.#open.set(comm.id, comm);
    return comm;
  }

  /** A target nobody registered is answered by closing the comm, as the protocol asks. */
  #openFromClient({ comm_id, target_name, data }: CommOpen, buffers: readonly Uint8Array[]): void {
    const target = this.#targets.get(target_name);
    if (target === undefined) {
      this.publish("comm_close", { comm_id, data: {} });
      return;
    }
    const comm = new Comm(this, comm_id, target_name, target.run);
    this.#open.set(comm_id, comm);
    inRun(target.run, () => target.opened(comm, data, buffers));
  }
}

/** One comm; what `comm.open` returns and a registered target is given. */
export class Comm {
  readonly id: string;
  readonly target: string;
  readonly #comms: Comms;
  readonly #run: CellRun | undefined;
  onMessage: ((data: unknown, buffers: readonly Uint8Array[]) => void) | undefined;
  onClose: ((data: unknown) => void) | undefined;

  constructor(comms: Comms, id: string, target: string, run: CellRun | undefined) {
    this.#comms = comms;
    this.#run = run;
    this.id = id;
    this.target = target;
  }

  send(data: unknown, options?: Options): void {
    this.#comms.publish("comm_msg", { comm_id: this.id, data }, options);
  }

  close(data: unknown = {}): void {
    this.#comms.forget(this);
    this.#comms.publish("comm_close", { comm_id: this.id, data });
  }

  receive(type: "comm_msg" | "comm_close", data: unknown, buffers: readonly Uint8Array[]): void {
    inRun(this.#run, () => (type === "comm_msg" ? this.onMessage?.(data, buffers) : this.onClose?.(data)));
  }
}

/** A copy: the sender may go on writing into its own. */
function bytesOf(view: ArrayBufferView | ArrayBufferLike): Uint8Array {
  if (ArrayBuffer.isView(view)) return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  if (types.isAnyArrayBuffer(view)) return new Uint8Array(view).slice();
  throw new Refusal({
    code: "NO_BUFFER",
    what: `a buffer of a comm message is ${typeof view}`,
    remedies: ["give typed arrays, DataViews or ArrayBuffers"],
  });
}

/** A callback's error is told in its cell: thrown from a fresh task, it meets the handler of uncaught errors there. */
function inRun(run: CellRun | undefined, callback: () => unknown): void {
  if (run === undefined) setImmediate(callback);
  else currentRun.run(run, () => setImmediate(callback));
}
