import type { WorkerSpan } from "./worker.ts";

/** What the first worker of a job tells the others of its machine. */
export type ToWorker =
  /** Topics, plan and resets are in place: get ready. */
  | { readonly type: "prepared" }
  /** Every worker is ready, or has been told to be: join the group. */
  | { readonly type: "join" }
  | { readonly type: "stop" }
  | { readonly type: "ask"; readonly id: number };

/** What they tell it. */
export type FromWorker =
  | { readonly type: "ready"; readonly url: string }
  | { readonly type: "answer"; readonly id: number; readonly unready: Unready; readonly metrics: readonly object[] }
  | { readonly type: "ended"; readonly span: WorkerSpan };

export type Unready = Readonly<Record<string, unknown>> | undefined;

/** Set for a worker that another one has started: its number, from 1 on, and how many there are: `1/4`. */
export const WORKER_VARIABLE = "MILLRACE_WORKER";

/** Which of several workers of a machine this process is; undefined for the first, and for an only one. */
export function ownNumber(
  env: Readonly<Record<string, string | undefined>>,
): { number: number; of: number } | undefined {
  const match = /^(\d+)\/(\d+)$/.exec(env[WORKER_VARIABLE] ?? "");
  return match === null || process.send === undefined ? undefined : { number: Number(match[1]), of: Number(match[2]) };
}

export interface LinkOptions {
  /** Called when the first worker says so, and when it is gone. */
  readonly stop: () => void;
  readonly unready: () => Unready;
  readonly metrics: () => Promise<readonly object[]>;
}

/** A further worker's line to the first one. */
export class WorkerLink {
  readonly #prepared = Promise.withResolvers<void>();
  readonly #join = Promise.withResolvers<void>();

  constructor({ stop, unready, metrics }: LinkOptions) {
    const over = () => {
      stop();
      this.#prepared.resolve();
      this.#join.resolve();
    };
    process.on("message", (message: ToWorker) => {
      if (message.type === "prepared") this.#prepared.resolve();
      else if (message.type === "join") this.#join.resolve();
      else if (message.type === "stop") over();
      else
        void metrics().then((values) =>
          this.#tell({ type: "answer", id: message.id, unready: unready(), metrics: values }),
        );
    });
    process.on("disconnect", over);
    if (!process.connected) over();
  }

  /** Resolves when the first worker has prepared the job, and when there is no more to wait for. */
  get prepared(): Promise<void> {
    return this.#prepared.promise;
  }

  /** Tells where this worker is asked, and waits for the others. */
  async join(url: string): Promise<void> {
    this.#tell({ type: "ready", url });
    await this.#join.promise;
  }

  /** The last thing that is told. */
  async ended(span: WorkerSpan): Promise<void> {
    if (!process.connected) return;
    const told: FromWorker = { type: "ended", span };
    await new Promise((resolve) => process.send!(told, undefined, undefined, resolve));
  }

  #tell(message: FromWorker): void {
    if (process.connected) process.send!(message, undefined, undefined, () => {});
  }
}
