import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Dealer, Request, Subscriber } from "zeromq";
import { type Message, newHeader } from "../../kernel/messages/header.ts";
import { NODE_FLAGS } from "../../kernel/node-flags.ts";
import { type Channel, type ConnectionInfo, endpoint } from "../../kernel/wire/connection-file.ts";
import { fromFrames, toFrames } from "../../kernel/wire/frames.ts";
import { Signature } from "../../kernel/wire/signature.ts";

const MAIN = path.resolve(import.meta.dirname, "..", "..", "kernel", "main.ts");
const DEADLINE = Number(process.env.MILLRACE_TEST_DEADLINE ?? 20_000);

type Any = Message<any>;

export interface Ran {
  readonly reply: Any;
  /** Everything published for the request, from `busy` to `idle`. */
  readonly published: Any[];
}

interface StartOptions {
  readonly env?: Record<string, string>;
  /** Put into its folder before it starts: name -> text. */
  readonly files?: Record<string, string>;
  /** A folder that is there already; removed at the end like one of its own. */
  readonly folder?: string;
  /** What Node runs: another kernel than this one. */
  readonly command?: (connectionFile: string) => string[];
}

const millrace = (connectionFile: string) => [...NODE_FLAGS, MAIN, connectionFile];

/** A real kernel process with a small client of its own, for tests that look at single messages. */
export class TestKernel implements AsyncDisposable {
  readonly folder: string;
  readonly info: ConnectionInfo;
  readonly process: ChildProcess;
  readonly session = randomUUID();
  readonly signature: Signature;
  /** Everything published so far. */
  readonly published: Any[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #dealers: Record<"shell" | "control" | "stdin", Dealer>;
  readonly #replies: Record<"shell" | "control" | "stdin", Any[]> = { shell: [], control: [], stdin: [] };
  readonly #iopub = new Subscriber();
  stderr = "";

  private constructor(folder: string, info: ConnectionInfo, child: ChildProcess) {
    this.folder = folder;
    this.info = info;
    this.process = child;
    this.signature = new Signature(info.key, info.signature_scheme);
    const routingId = randomUUID();
    const dealer = () => new Dealer({ linger: 0, routingId });
    this.#dealers = { shell: dealer(), control: dealer(), stdin: dealer() };
    child.stderr!.on("data", (chunk) => {
      this.stderr += chunk;
    });
  }

  static async start({ env = {}, files = {}, folder: given, command = millrace }: StartOptions = {}) {
    const folder = given ?? (await mkdtemp(path.join(tmpdir(), "millrace-kernel-")));
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await freePorts(5);
    const ports = { shell_port, iopub_port, stdin_port, control_port, hb_port } as Record<`${Channel}_port`, number>;
    const info: ConnectionInfo = {
      transport: "tcp",
      ip: "127.0.0.1",
      key: randomUUID(),
      signature_scheme: "hmac-sha256",
      ...ports,
    };
    const file = path.join(folder, "connection.json");
    await writeFile(file, JSON.stringify(info));
    const child = spawn(process.execPath, command(file), {
      cwd: folder,
      env: {
        ...process.env,
        MILLRACE_HISTORY: path.join(folder, "history.jsonl"),
        MILLRACE_JOURNAL: path.join(folder, "journal"),
        ...env,
      },
      stdio: ["ignore", "inherit", "pipe"],
    });
    const kernel = new TestKernel(folder, info, child);
    await kernel.#connect();
    if (command === millrace) await kernel.#welcomed();
    else await kernel.#subscribed();
    return kernel;
  }

  async #connect(): Promise<void> {
    this.#iopub.connect(endpoint(this.info, "iopub"));
    this.#iopub.subscribe();
    void this.#collect(this.#iopub, this.published);
    for (const channel of ["shell", "control", "stdin"] as const) {
      this.#dealers[channel].connect(endpoint(this.info, channel));
      void this.#collect(this.#dealers[channel], this.#replies[channel]);
    }
  }

  async #welcomed(): Promise<void> {
    await this.when("the kernel's welcome", () =>
      this.published.find(({ header }) => header.msg_type === "iopub_welcome"),
    );
  }

  /** Without a welcome only what is published shows that the subscription has arrived. */
  async #subscribed(): Promise<void> {
    const end = Date.now() + 3 * DEADLINE;
    while (!this.published.some(isIdle)) {
      if (Date.now() > end) throw new Error(`the kernel publishes nothing\n${this.stderr}`);
      await this.reply(await this.send("kernel_info_request", {}), "shell", 3 * DEADLINE);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #collect(socket: Subscriber | Dealer, into: Any[]): Promise<void> {
    for await (const frames of socket) {
      const message = fromFrames(frames, this.signature);
      if (message === undefined) throw new Error("the kernel sent a message with a wrong signature");
      into.push(message);
      for (const wake of this.#waiting) wake();
    }
  }

  /** Waits until a message makes `find` give something. */
  async when<T>(what: string, find: () => T | undefined, deadline = DEADLINE): Promise<T> {
    const end = Date.now() + deadline;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`waited ${deadline} ms for ${what}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }

  /** Sends a request and returns its id. */
  async send(
    type: string,
    content: unknown,
    { channel = "shell", metadata = {}, buffers = [], signature = this.signature, subshell }: SendOptions = {},
  ): Promise<string> {
    const header = { ...newHeader(type, this.session), ...(subshell === undefined ? {} : { subshell_id: subshell }) };
    await this.#dealers[channel].send(
      toFrames({ identities: [], header, parent: {}, metadata, content, buffers }, signature) as Buffer[],
    );
    return header.msg_id;
  }

  reply(id: string, channel: "shell" | "control" = "shell", deadline?: number): Promise<Any> {
    return this.when(
      `the reply to ${id}`,
      () => this.#replies[channel].find(({ parent }) => parent.msg_id === id),
      deadline,
    );
  }

  inputRequest(id: string): Promise<Any> {
    return this.when("an input_request", () => this.#replies.stdin.find(({ parent }) => parent.msg_id === id));
  }

  /** What was published for a request so far. */
  of(id: string): Any[] {
    return this.published.filter(({ parent }) => parent.msg_id === id);
  }

  async ran(id: string, deadline?: number): Promise<Ran> {
    const reply = await this.reply(id, "shell", deadline);
    await this.when("idle", () =>
      this.published.findLast((message) => message.parent.msg_id === id && isIdle(message)),
    );
    return { reply, published: this.of(id) };
  }

  async ask(type: string, content: unknown, options?: SendOptions): Promise<Ran> {
    const id = await this.send(type, content, options);
    const reply = await this.reply(id, options?.channel === "control" ? "control" : "shell");
    await this.when("idle", () =>
      this.published.findLast((message) => message.parent.msg_id === id && isIdle(message)),
    );
    return { reply, published: this.of(id) };
  }

  async execute(
    code: string,
    content: Record<string, unknown> = {},
    metadata: Record<string, unknown> = {},
  ): Promise<Ran> {
    return this.ran(await this.send("execute_request", { code, ...content }, { metadata }));
  }

  /** The text a cell printed. */
  async printed(code: string): Promise<string> {
    return stdout((await this.execute(code)).published);
  }

  async heartbeat(): Promise<string> {
    const socket = new Request({ linger: 0, receiveTimeout: 5000 });
    socket.connect(endpoint(this.info, "hb"));
    await socket.send("ping");
    const [pong] = await socket.receive();
    socket.close();
    return String(pong);
  }

  /** Resolves with the exit code once the process has ended. */
  async ended(deadline = 10_000): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const timer = setTimeout(() => this.process.kill("SIGKILL"), deadline);
    const [code] = await once(this.process, "exit");
    clearTimeout(timer);
    return code as number | null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...Object.values(this.#dealers), this.#iopub]) socket.close();
    this.process.kill("SIGKILL");
    await this.ended();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface SendOptions {
  readonly channel?: "shell" | "control" | "stdin";
  readonly metadata?: Record<string, unknown>;
  readonly buffers?: readonly Uint8Array[];
  readonly signature?: Signature;
  readonly subshell?: string;
}

const isIdle = ({ header, content }: Any) => header.msg_type === "status" && content.execution_state === "idle";

export const types = (messages: readonly Any[]) => messages.map(({ header }) => header.msg_type);

export const states = (messages: readonly Any[]) =>
  messages.filter(({ header }) => header.msg_type === "status").map(({ content }) => content.execution_state);

export const ofType = (messages: readonly Any[], type: string) =>
  messages.filter(({ header }) => header.msg_type === type);

export const stdout = (messages: readonly Any[], name = "stdout") =>
  ofType(messages, "stream")
    .filter(({ content }) => content.name === name)
    .map(({ content }) => content.text)
    .join("");

/** The text/plain of a cell's result. */
export const result = (messages: readonly Any[]) => ofType(messages, "execute_result")[0]?.content.data["text/plain"];

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
