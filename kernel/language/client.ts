import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { ColumnTypes, TopicMention } from "./columns/known-columns.ts";
import type { CompiledCell } from "./compiled-cell.ts";
import type { Completeness, Completions, Inspection, LanguageService } from "./service.ts";

export type LanguageMethod = keyof LanguageService;
export interface LanguageQuestion {
  readonly id: number;
  readonly method: LanguageMethod;
  readonly parameters: readonly unknown[];
}
export type LanguageAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: Error };

/** Asks the language thread. Any number of threads may have a port to it; each makes a client of its own. */
export class LanguagePort {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (answer: LanguageAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) port.unref();
      if ("error" in answer) waiting?.reject(answer.error);
      else waiting?.resolve(answer.value as never);
    });
    port.unref();
  }

  compile(name: string, source: string): Promise<CompiledCell> {
    return this.#ask("compile", name, source);
  }

  /** @param cursor in code points */
  complete(source: string, cursor: number): Promise<Completions> {
    return this.#ask("complete", source, cursor);
  }

  inspect(source: string, cursor: number, detail: 0 | 1): Promise<Inspection> {
    return this.#ask("inspect", source, cursor, detail);
  }

  isComplete(source: string): Promise<Completeness> {
    return this.#ask("isComplete", source);
  }

  unknownTopics(source: string): Promise<readonly TopicMention[]> {
    return this.#ask("unknownTopics", source);
  }

  learnFrames(frames: Readonly<Record<string, ColumnTypes | null>>): Promise<void> {
    return this.#ask("learnFrames", frames);
  }

  learnTopic(topic: TopicMention, columns: ColumnTypes): Promise<void> {
    return this.#ask("learnTopic", topic, columns);
  }

  failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #ask<T>(method: LanguageMethod, ...parameters: unknown[]): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#port.ref();
      this.#port.postMessage({ id, method, parameters } satisfies LanguageQuestion);
    });
  }
}

/** The language thread itself, with a port for this thread. */
export class LanguageClient extends LanguagePort {
  readonly #worker: Worker;

  private constructor(worker: Worker, port: MessagePort) {
    super(port);
    this.#worker = worker;
    worker.on("error", (error) => this.failAll(error as Error));
    worker.unref();
  }

  /** @param cwd the notebook's folder */
  static start(cwd: string): LanguageClient {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: { cwd },
      name: "millrace-language",
      // The type of a name that was computed from a name that was computed from … is found by recursion.
      resourceLimits: { stackSizeMb: 64 },
    });
    return new LanguageClient(worker, connect(worker));
  }

  /** A port for another thread, to be wrapped there in a `LanguagePort`. */
  connect(): MessagePort {
    return connect(this.#worker);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function connect(worker: Worker): MessagePort {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port1, [port1]);
  return port2;
}
