import { randomUUID } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import { Debugger } from "../debugger/debugger.ts";
import type { LanguagePort } from "../language/client.ts";
import type { CommClose, CommMessage, CommOpen } from "../messages/comm.ts";
import type { CommInfoRequest } from "../messages/comm-info.ts";
import type { CompleteRequest } from "../messages/complete.ts";
import type { DebugRequest } from "../messages/debug.ts";
import type { ExecuteRequest } from "../messages/execute.ts";
import { type Header, type Message, newHeader } from "../messages/header.ts";
import type { HistoryRequest } from "../messages/history.ts";
import type { InputReply } from "../messages/input.ts";
import type { InspectRequest } from "../messages/inspect.ts";
import type { IsCompleteRequest } from "../messages/is-complete.ts";
import { kernelInfo } from "../messages/kernel-info.ts";
import type { Publications, Replies } from "../messages/messages.ts";
import type { ShutdownRequest } from "../messages/shutdown.ts";
import { type DeleteSubshellRequest, unknownSubshell } from "../messages/subshell.ts";
import type { CommType, FromCells, Publication, ToCells } from "./bridge.ts";
import type { ConnectionInfo } from "./connection-file.ts";
import type { Flow } from "./flow.ts";
import { History } from "./history.ts";
import { Interrupter } from "./interrupter.ts";
import { completeReply, inspectReply, isCompleteReply } from "./language-replies.ts";
import type { RequestChannel, Sockets } from "./sockets.ts";
import { StdinRequests } from "./stdin-requests.ts";
import { StreamBatcher } from "./stream-batcher.ts";
import { Subshells } from "./subshells.ts";

type Parent = Header | Record<string, never>;
type Handler = (request: Message<any>, channel: RequestChannel) => void | Promise<void>;

/**
 * The protocol, in a thread of its own: it answers everything that needs no user code at once, also while a cell is busy, and hands the rest
 * to the thread that runs cells.
 */
export class KernelServer {
  readonly history = new History();
  readonly #sockets: Sockets;
  readonly #cells: MessagePort;
  readonly #language: LanguagePort;
  readonly #info: ConnectionInfo;
  readonly #versions: { readonly kernel: string; readonly typescript: string };
  readonly #session = randomUUID();
  readonly #shells = new Subshells(this);
  readonly #stdin = new StdinRequests(this);
  readonly #streams = new StreamBatcher((parent, stream) => this.#send("stream", stream, parent));
  readonly #interrupter = new Interrupter((id) => this.toCells({ kind: "interrupt", id }));
  /** Open comms: id -> target. */
  readonly #comms = new Map<string, string>();
  readonly #debugger = new Debugger({
    publish: (event) => this.publish("debug_event", event, this.#shells.main.current?.header ?? {}),
    watchCells: (on) => this.toCells({ kind: "debug", on }),
  });
  /** Targets of the kernel's own, such as those of live tables. */
  readonly #ownTargets = new Set<string>();
  readonly #commHandled = new Map<number, () => void>();
  readonly #flow: Flow;
  readonly #stopped: (why: string) => void;
  #lastCommMessage = 0;
  /** A state was published: the kernel is past its start. */
  #toldState = false;

  constructor(options: {
    sockets: Sockets;
    cells: MessagePort;
    language: LanguagePort;
    info: ConnectionInfo;
    versions: { readonly kernel: string; readonly typescript: string };
    /** Held to by the thread that runs cells. */
    flow: Flow;
    /** Called when a client asked the kernel to stop and has been answered. */
    stopped: (why: string) => void;
  }) {
    this.#sockets = options.sockets;
    this.#cells = options.cells;
    this.#language = options.language;
    this.#info = options.info;
    this.#versions = options.versions;
    this.#flow = options.flow;
    this.#stopped = options.stopped;
  }

  start(): void {
    this.#cells.on("message", (message: FromCells) => this.#fromCells(message));
    void this.#sockets.subscriptions((topic) => this.#welcome(topic));
    void this.#sockets.receive("control", (request) => this.#handle(request, "control"));
    void this.#sockets.receive("shell", (request) => this.#handle(request, "shell"));
    void this.#sockets.receive("stdin", (message) => this.#stdin.answer(message as Message<InputReply>));
  }

  toCells(message: ToCells): void {
    this.#cells.postMessage(message);
  }

  status(execution_state: "starting" | "busy" | "idle", parent: Parent): void {
    this.#toldState = true;
    this.publish("status", { execution_state }, parent);
  }

  publish<T extends keyof Publications>(
    type: T,
    content: Publications[T],
    parent: Parent,
    more: Partial<Publication> = {},
  ): Promise<void> {
    this.#streams.flush();
    return this.#send(type, content, parent, more);
  }

  reply<T extends keyof Replies>(
    type: T,
    content: Replies[T],
    request: Message<unknown>,
    channel: RequestChannel = "shell",
    metadata: Record<string, unknown> = {},
  ): void {
    this.#streams.flush();
    const header = newHeader(type, this.#session);
    const { identities, header: parent } = request;
    void this.#sockets.send(channel, { identities, header, parent, metadata, content, buffers: [] });
  }

  /** A request that cannot be done is answered all the same: its client waits. */
  refuse(request: Message<any>, why: string, channel: RequestChannel = "shell"): void {
    void this.#framed(request, () => this.#replyFailure(request, why, channel));
  }

  #replyFailure(request: Message, why: string, channel: RequestChannel): void {
    const { msg_type: type } = request.header;
    const reply = type.replace(/_request$/, "_reply") as keyof Replies;
    const failure = { status: "error", ename: "RequestFailed", evalue: `${type}: ${why}`, traceback: [why] };
    if (type.endsWith("_request")) this.reply(reply, failure as never, request, channel);
  }

  #send<T extends keyof Publications>(
    type: T,
    content: Publications[T],
    parent: Parent,
    { metadata = {}, buffers = [] }: Partial<Publication> = {},
  ): Promise<void> {
    const topic = Buffer.from(
      type === "iopub_welcome" ? (content as Publications["iopub_welcome"]).subscription : type,
    );
    return this.#sockets.send("iopub", {
      identities: [topic],
      header: newHeader(type, this.#session),
      parent,
      metadata,
      content,
      buffers,
    });
  }

  /** The first subscriber is told that the kernel is starting once it is welcome: what is published before anybody is welcome may reach it before its welcome. */
  #welcome(topic: Uint8Array): void {
    this.publish("iopub_welcome", { subscription: Buffer.from(topic).toString("utf8") }, {});
    if (!this.#toldState) this.status("starting", {});
  }

  #handle(request: Message, channel: RequestChannel): void {
    const type = request.header.msg_type;
    const queue = channel === "shell" ? this.#shells.of(request.header) : this.#shells.main;
    if (queue === undefined) {
      void this.#framed(request, () => this.#refuseSubshell(request));
      return;
    }
    if (type === "execute_request") {
      queue.add(request as unknown as Message<ExecuteRequest>);
      return;
    }
    const handler = Object.hasOwn(this.#handlers, type) ? this.#handlers[type] : undefined;
    if (handler === undefined) {
      process.stderr.write(`millrace: message type "${type}" is not known and was ignored\n`);
      return;
    }
    void this.#framed(request, () => handler(request, channel), channel);
  }

  /**
   * Every request is framed by `busy` and `idle`. A cell that is still running makes the kernel busy again, under no parent: JupyterLab's debugger asks for the variables
   * at whatever is published for a cell, and that is a request again.
   */
  async #framed(request: Message, work: () => void | Promise<void>, channel: RequestChannel = "shell"): Promise<void> {
    this.status("busy", request.header);
    try {
      await work();
    } catch (error) {
      process.stderr.write(`millrace: ${request.header.msg_type} failed: ${(error as Error).stack}\n`);
      this.#replyFailure(request, (error as Error).message, channel);
    }
    this.status("idle", request.header);
    if (this.#shells.main.current !== undefined) this.status("busy", {});
  }

  #refuseSubshell(request: Message): void {
    const { msg_type: type, subshell_id: id } = request.header;
    const reply = type.replace(/_request$/, "_reply") as keyof Replies;
    if (type.endsWith("_request")) this.reply(reply, unknownSubshell(String(id)) as never, request);
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    kernel_info_request: (request, channel) =>
      this.reply("kernel_info_reply", kernelInfo(this.#versions.kernel, this.#versions.typescript), request, channel),
    complete_request: async (request: Message<CompleteRequest>) =>
      this.reply("complete_reply", await completeReply(this.#language, request.content), request),
    inspect_request: async (request: Message<InspectRequest>) =>
      this.reply("inspect_reply", await inspectReply(this.#language, request.content), request),
    is_complete_request: async (request: Message<IsCompleteRequest>) =>
      this.reply("is_complete_reply", await isCompleteReply(this.#language, request.content), request),
    history_request: (request: Message<HistoryRequest>) =>
      this.reply("history_reply", { status: "ok", history: this.history.ask(request.content) }, request),
    comm_info_request: (request: Message<CommInfoRequest>) => {
      const wanted = request.content.target_name;
      const comms = [...this.#comms].filter(([, target]) => wanted == null || wanted === target);
      const info = Object.fromEntries(comms.map(([id, target_name]) => [id, { target_name }]));
      this.reply("comm_info_reply", { status: "ok", comms: info }, request);
    },
    connect_request: (request) => {
      const { shell_port, iopub_port, stdin_port, hb_port, control_port } = this.#info;
      this.reply("connect_reply", { status: "ok", shell_port, iopub_port, stdin_port, hb_port, control_port }, request);
    },
    comm_open: (request: Message<CommOpen>) => this.#commFromClient("comm_open", request),
    comm_msg: (request: Message<CommMessage>) => this.#commFromClient("comm_msg", request),
    comm_close: (request: Message<CommClose>) => this.#commFromClient("comm_close", request),
    create_subshell_request: (request, channel) =>
      this.reply("create_subshell_reply", { status: "ok", subshell_id: this.#shells.create() }, request, channel),
    delete_subshell_request: (request: Message<DeleteSubshellRequest>, channel) => {
      const { subshell_id: id } = request.content;
      const reply = this.#shells.delete(id) ? ({ status: "ok" } as const) : unknownSubshell(id);
      this.reply("delete_subshell_reply", reply, request, channel);
    },
    list_subshell_request: (request, channel) =>
      this.reply("list_subshell_reply", { status: "ok", subshell_id: this.#shells.ids }, request, channel),
    debug_request: async (request: Message<DebugRequest>, channel) =>
      this.reply("debug_reply", await this.#debugger.answer(request.content), request, channel),
    interrupt_request: (request, channel) => {
      this.#stdin.interrupt();
      this.#debugger.interrupt();
      void this.#interrupter.interrupt();
      this.reply("interrupt_reply", { status: "ok" }, request, channel);
    },
    shutdown_request: (request: Message<ShutdownRequest>, channel) => {
      const reply = { status: "ok", restart: request.content.restart === true } as const;
      this.publish("shutdown_reply", reply, request.header);
      this.reply("shutdown_reply", reply, request, channel);
      this.#stdin.interrupt();
      this.#debugger.interrupt();
      this.#stopped("a client asked for it");
    },
  };

  /**
   * A new comm waits for the cells before it, which may be those that register its target; on a subshell only for those of the subshell. One to a target of
   * the kernel's own, and an open one, is heard at once, also while a cell is busy: a live table is not to wait for the cells below it.
   */
  async #commFromClient(type: CommType, request: Message<CommOpen | CommMessage | CommClose>): Promise<void> {
    const { content, buffers, header } = request;
    const queue = this.#shells.of(header) ?? this.#shells.main;
    if (type === "comm_open") {
      if (!this.#ownTargets.has((content as CommOpen).target_name)) await queue.turn();
      this.#comms.set(content.comm_id, (content as CommOpen).target_name);
    } else if (!this.#comms.has(content.comm_id)) await queue.turn();
    const id = ++this.#lastCommMessage;
    const handled = new Promise<void>((resolve) => this.#commHandled.set(id, resolve));
    this.toCells({
      kind: "comm",
      id,
      type,
      content,
      buffers: buffers.map((buffer) => new Uint8Array(buffer)),
      parent: header,
    });
    if (type === "comm_close") this.#comms.delete(content.comm_id);
    await handled;
  }

  #fromCells(message: FromCells): void {
    switch (message.kind) {
      case "publish":
        void this.#publishFromCells(message);
        break;
      case "executed":
        this.#shells.running(message.parent.msg_id)?.queue.executed(message.result);
        break;
      case "failed":
        this.#shells.running(message.parent.msg_id)?.queue.failed(message.why);
        break;
      case "interrupting":
        this.#interrupter.answered(message.id);
        break;
      case "commHandled":
        this.#commHandled.get(message.id)?.();
        this.#commHandled.delete(message.id);
        break;
      case "commTarget":
        if (message.own) this.#ownTargets.add(message.target);
        else this.#ownTargets.delete(message.target);
        break;
      case "input":
        this.#stdin.ask(message, this.#shells.running(message.parent.msg_id)?.request);
        break;
      case "loaded":
        void this.#debugger.cellLoaded(message.cell).then(() => {
          if (message.id !== undefined) this.toCells({ kind: "noted", id: message.id });
        });
        break;
      case "closed":
        break; // the worker's own affair
    }
  }

  async #publishFromCells({ type, content, parent, cost, ...more }: Publication): Promise<void> {
    try {
      if (type === "stream") this.#streams.add(parent, content as Publications["stream"]);
      else {
        if (type === "comm_open") this.#comms.set((content as CommOpen).comm_id, (content as CommOpen).target_name);
        if (type === "comm_close") this.#comms.delete((content as CommClose).comm_id);
        await this.publish(type, content as never, parent, more);
      }
    } catch (error) {
      const text = `… an output (${type}) could not be sent: ${(error as Error).message}\n`;
      this.#streams.add(parent, { name: "stderr", text });
    } finally {
      this.#flow.done(cost);
    }
  }
}
