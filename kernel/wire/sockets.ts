import { Router, XPublisher } from "zeromq";
import { settledWithin } from "../../lib/settled-within.ts";
import type { Message } from "../messages/header.ts";
import { type ConnectionInfo, endpoint } from "./connection-file.ts";
import { fromFrames, toFrames } from "./frames.ts";
import { Publisher, Sender } from "./sender.ts";
import { Signature } from "./signature.ts";

export type RequestChannel = "shell" | "control" | "stdin";

/** How long unsent messages may delay the end of the process, in ms. */
const LINGER = 1000;
/** Messages kept for a slow subscriber; beyond them it is waited for. */
const PUBLISHED_AHEAD = 1000;

/** The kernel's five sockets. Incoming messages with a wrong signature are dropped. */
export class Sockets {
  readonly #signature: Signature;
  readonly #routers: Record<RequestChannel, Router>;
  readonly #senders: Record<RequestChannel | "iopub", Sender>;
  readonly #iopub = new XPublisher({
    linger: LINGER,
    sendHighWaterMark: PUBLISHED_AHEAD,
    noDrop: true,
    verbosity: "allSubs",
  });
  readonly #heartbeat = new Router({ linger: 0 });

  private constructor(info: ConnectionInfo) {
    this.#signature = new Signature(info.key, info.signature_scheme);
    const router = () => new Router({ linger: LINGER, handover: true });
    this.#routers = { shell: router(), control: router(), stdin: router() };
    const { shell, control, stdin } = this.#routers;
    this.#senders = {
      shell: new Sender(shell),
      control: new Sender(control),
      stdin: new Sender(stdin),
      iopub: new Publisher(this.#iopub),
    };
  }

  static async bind(info: ConnectionInfo): Promise<Sockets> {
    const sockets = new Sockets(info);
    const { shell, control, stdin } = sockets.#routers;
    await sockets.#heartbeat.bind(endpoint(info, "hb"));
    await sockets.#iopub.bind(endpoint(info, "iopub"));
    await stdin.bind(endpoint(info, "stdin"));
    await control.bind(endpoint(info, "control"));
    await shell.bind(endpoint(info, "shell"));
    void sockets.#echo();
    return sockets;
  }

  async receive(channel: RequestChannel, handle: (message: Message) => void): Promise<void> {
    for await (const frames of this.#routers[channel]) {
      const message = fromFrames(frames, this.#signature);
      if (message !== undefined) handle(message);
    }
  }

  /** Calls back for each new subscription with its topic. */
  async subscriptions(handle: (topic: Uint8Array) => void): Promise<void> {
    for await (const [frame] of this.#iopub) if (frame?.[0] === 1) handle(frame.subarray(1));
  }

  /** @throws what `JSON.stringify` throws for a content that is no JSON */
  send(channel: RequestChannel | "iopub", message: Message<unknown>): Promise<void> {
    return this.#senders[channel].send(toFrames(message, this.#signature));
  }

  /** What is still to be sent has as long as ZeroMQ's own queues have. */
  async close(): Promise<void> {
    await settledWithin(LINGER, Promise.all(Object.values(this.#senders).map(({ sent }) => sent)));
    for (const socket of [...Object.values(this.#routers), this.#iopub, this.#heartbeat]) socket.close();
  }

  async #echo(): Promise<void> {
    for await (const frames of this.#heartbeat) await this.#heartbeat.send(frames);
  }
}
