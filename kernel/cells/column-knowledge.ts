import { probe } from "../display/probe.ts";
import type { LanguagePort } from "../language/client.ts";
import type { ColumnTypes, TopicMention } from "../language/columns/known-columns.ts";

/** A cell waits so long for the columns of topics it opens, and of frames made before it; then it runs unchecked. */
const PATIENCE = 2500;
/** A topic whose sample failed (no brokers, no records) is not asked for again for so long, ms. */
const AGAIN = 10_000;

type Frame = { readonly schema: Promise<ColumnTypes> };

/**
 * Tells the language service what columns the session's frames have, so that a misspelt one is found before a cell runs. Topics are
 * sampled by the library itself, once per session, as the first cell that shows them would.
 */
export class ColumnKnowledge {
  readonly #language: LanguagePort;
  readonly #values: () => Record<string, unknown>;
  readonly #told = new Map<string, unknown>();
  readonly #failed = new Map<string, number>();
  readonly #failedFrames = new WeakMap<object, number>();
  #learning: Promise<unknown> = Promise.resolve();

  constructor(language: LanguagePort, values: () => Record<string, unknown>) {
    this.#language = language;
    this.#values = values;
  }

  /** To be called before a cell is compiled. Never throws: what cannot be learnt is not checked. */
  async before(source: string): Promise<void> {
    // neither the compiler nor the library is waited for in vain: the cell needs both
    const topics = /\btopic\s*\(/.test(source) ? await this.#due(source).catch(() => []) : [];
    const library = topics.length === 0 ? undefined : await import("../../lib/index.ts").catch(() => undefined);
    const samples = library === undefined ? [] : topics.map((each) => this.#sample(each, library.topic));
    const work = Promise.all([this.#learning, ...samples]).catch(() => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#learning = Promise.resolve(); // the next cell does not wait for the same once more
      resolve();
    }, PATIENCE);
    await Promise.race([work, promise]);
    clearTimeout(timer);
  }

  /** To be called after a cell has run. */
  after(): void {
    const work = this.#learn().catch(() => {});
    this.#learning = Promise.all([this.#learning, work]);
  }

  async #learn(): Promise<void> {
    const changed = Object.entries(this.#values()).filter(
      ([name, value]) =>
        this.#told.get(name) !== value && (isFrame(value) ? due(this.#failedFrames.get(value)) : this.#told.has(name)),
    );
    await Promise.all(
      changed.map(async ([name, value]) => {
        if (!isFrame(value)) {
          this.#told.delete(name);
          return this.#language.learnFrames({ [name]: null });
        }
        this.#told.set(name, value);
        try {
          await this.#language.learnFrames({ [name]: await value.schema });
        } catch {
          this.#told.delete(name); // asked again after a later cell
          this.#failedFrames.set(value as object, Date.now());
          await this.#language.learnFrames({ [name]: null });
        }
      }),
    );
  }

  async #due(source: string): Promise<TopicMention[]> {
    return (await this.#language.unknownTopics(source)).filter((topic) => due(this.#failed.get(JSON.stringify(topic))));
  }

  async #sample(mention: TopicMention, topic: typeof import("../../lib/index.ts").topic): Promise<void> {
    const { name, ...options } = mention;
    try {
      await this.#language.learnTopic(mention, await topic(name, options as Parameters<typeof topic>[1]).schema);
    } catch {
      this.#failed.set(JSON.stringify(mention), Date.now());
    }
  }
}

const due = (failedAt: number | undefined): boolean => Date.now() - (failedAt ?? 0) > AGAIN;

/** By its form: a cell's `millrace` may be another copy than the kernel's. */
function isFrame(value: unknown): value is Frame {
  if (typeof value !== "object" || value === null || probe(value, "node") === undefined) return false;
  const made = probe(value, "constructor");
  return typeof made === "function" && made.name === "StreamFrame";
}
