import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { MillraceError } from "../../error.ts";
import type { JobLog } from "./log.ts";
import type { WorkerSpan } from "./worker.ts";
import { type FromWorker, type ToWorker, type Unready, WORKER_VARIABLE } from "./worker-link.ts";

interface OtherWorker {
  readonly number: number;
  process: ChildProcess;
  url: string | undefined;
  ended: boolean;
}

interface Answer {
  readonly unready: Unready;
  readonly metrics: readonly object[];
}

/** How long a worker that was killed is waited with before it is started again, ms. */
const PAUSE = 1000;
/** How long a worker is waited for when metrics or health are asked for, ms. */
const ANSWER_WITHIN = 2000;
/** Flags that are the first worker's alone. */
const OWN_FLAGS = /^--(reset|rebuild|yes|json|workers)(=|$)/;

/**
 * The further workers of a job with `--workers N`: processes of the same program on this machine, members of the same group, each with its own
 * state in `worker-1`, `worker-2`, … of the state folder. They wait until the first worker has prepared the job, and join together with it, so that
 * partitions are given out once. One that is killed is started again; one that fails ends the job.
 */
export class OtherWorkers {
  readonly #workers: OtherWorker[];
  readonly #log: JobLog;
  readonly #stateDir: string;
  readonly #untilEnd: boolean;
  readonly #spans: WorkerSpan[] = [];
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #asks = 0;
  #prepared = false;
  #joined = false;
  #stopping = false;
  #failure: MillraceError | undefined;
  #onFailure: () => void = () => {};
  #changed = Promise.withResolvers<void>();

  constructor(count: number, { stateDir, untilEnd, log }: { stateDir: string; untilEnd: boolean; log: JobLog }) {
    this.#log = log;
    this.#stateDir = stateDir;
    this.#untilEnd = untilEnd;
    this.#workers = Array.from({ length: count - 1 }, (_, i) => {
      const worker = { number: i + 1, url: undefined, ended: false } as unknown as OtherWorker;
      this.#start(worker, count);
      return worker;
    });
  }

  /** The numbers of all workers, the first one's 0 with them. */
  get numbers(): readonly number[] {
    return [0, ...this.#workers.map(({ number }) => number)];
  }

  /** Why the job cannot go on. */
  get failure(): MillraceError | undefined {
    return this.#failure;
  }

  /** Called once, when a worker has failed. */
  set onFailure(told: () => void) {
    this.#onFailure = told;
    if (this.#failure !== undefined) told();
  }

  /** Topics, plan and resets are in place. */
  prepared(): void {
    this.#prepared = true;
    this.#tellAll({ type: "prepared" });
  }

  /** Waits until every worker is ready, or all are to stop; then they join the group. */
  async join(): Promise<void> {
    while (!this.#over && this.#workers.some(({ url }) => url === undefined)) await this.#changed.promise;
    this.#joined = true;
    this.#tellAll({ type: "join" });
  }

  /** They checkpoint and end. */
  stop(): void {
    this.#stopping = true;
    this.#tellAll({ type: "stop" });
    this.#notify();
  }

  /** Waits for their ends. @throws {MillraceError} `WORKER_FAILED` */
  async end(): Promise<void> {
    if (!this.#untilEnd || this.#failure !== undefined) this.stop();
    while (this.#workers.some(({ ended }) => !ended)) await this.#changed.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What those that have ended did. */
  get spans(): readonly WorkerSpan[] {
    return this.#spans;
  }

  /** The first reason why one of them is not ready. */
  async unready(): Promise<Unready> {
    for (const worker of this.#workers) {
      const answer = worker.url === undefined ? undefined : await this.#ask(worker);
      if (answer === undefined) return { reason: "starting", worker: worker.number };
      if (answer.unready !== undefined) return { ...answer.unready, worker: worker.number };
    }
    return undefined;
  }

  /** The metrics of each that answers, as prom-client gives them. */
  async metrics(): Promise<readonly (readonly object[])[]> {
    const answers = await Promise.all(this.#workers.map((worker) => this.#ask(worker)));
    return answers.flatMap((answer) => (answer === undefined ? [] : [answer.metrics]));
  }

  /** Where a worker's state is asked for. */
  urlOf(number: number): string | undefined {
    return this.#workers.find((worker) => worker.number === number)?.url;
  }

  get #over(): boolean {
    return this.#stopping || this.#failure !== undefined;
  }

  #start(worker: OtherWorker, count: number): void {
    const { PORT: _, ...env } = process.env;
    const args = process.argv.slice(2).filter((arg, i, all) => !OWN_FLAGS.test(arg) && all[i - 1] !== "--workers");
    worker.url = undefined;
    worker.process = fork(process.argv[1]!, args, {
      env: {
        ...env,
        [WORKER_VARIABLE]: `${worker.number}/${count}`,
        MILLRACE_STATE_DIR: path.join(this.#stateDir, `worker-${worker.number}`),
      },
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    if (this.#prepared) this.#tell(worker, { type: "prepared" });
    if (this.#joined) this.#tell(worker, { type: "join" });
    worker.process.on("message", (message: FromWorker) => this.#told(worker, message));
    worker.process.on("error", (error) => this.#fail(worker.number, error.message));
    worker.process.on("exit", (code, signal) => this.#exited(worker, count, code, signal));
  }

  #told(worker: OtherWorker, message: FromWorker): void {
    if (message.type === "ready") worker.url = message.url;
    else if (message.type === "ended") this.#spans.push(message.span);
    else {
      this.#asked.get(message.id)?.(message);
      this.#asked.delete(message.id);
    }
    this.#notify();
  }

  #exited(worker: OtherWorker, count: number, code: number | null, signal: string | null): void {
    worker.url = undefined;
    const done = this.#over || (this.#untilEnd && code === 0);
    if (!done && code === null) {
      // killed: the group gives its partitions to the others meanwhile, or keeps them for it
      this.#log.warn("a worker was killed, starting it again", { worker: worker.number, signal: String(signal) });
      setTimeout(() => {
        if (!this.#over) return this.#start(worker, count);
        worker.ended = true;
        this.#notify();
      }, PAUSE);
      return;
    }
    worker.ended = true;
    if (!done) this.#fail(worker.number, `it ended with exit code ${code}`);
    this.#notify();
  }

  #fail(number: number, why: string): void {
    if (this.#over) return;
    this.#failure = new MillraceError({
      code: "WORKER_FAILED",
      what: `Worker ${number} of this machine has ended: ${why}.`,
      remedies: ["see its own lines in the log above"],
    });
    this.#onFailure();
    this.#notify();
  }

  async #ask(worker: OtherWorker): Promise<Answer | undefined> {
    if (!worker.process.connected) return undefined;
    const id = ++this.#asks;
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#asked.delete(id);
        resolve(undefined);
      }, ANSWER_WITHIN);
      this.#asked.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#tell(worker, { type: "ask", id });
    });
  }

  #tellAll(message: ToWorker): void {
    for (const worker of this.#workers) this.#tell(worker, message);
  }

  #tell({ process }: OtherWorker, message: ToWorker): void {
    if (process.connected) process.send(message, () => {});
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
