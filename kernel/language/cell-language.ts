import { CellSession } from "./cell-session.ts";
import type { ColumnTypes, TopicMention } from "./columns/known-columns.ts";
import { topicsIn } from "./columns/topics.ts";
import type { CompiledCell } from "./compiled-cell.ts";
import { complete } from "./complete.ts";
import { inspect } from "./inspect.ts";
import { isComplete } from "./is-complete.ts";
import type { Completeness, Completions, Inspection, LanguageService } from "./service.ts";

/** TypeScript for one session of cells. */
export class CellLanguage implements LanguageService {
  readonly #session: CellSession;

  /** @param folder the notebook's folder */
  constructor(folder: string) {
    this.#session = new CellSession(folder);
  }

  /** Reads the standard library's types before the first cell needs them. */
  warmUp(): void {
    this.#session.service.getSemanticDiagnostics(this.#session.scratch("console.log(1)"));
  }

  /** Reads the types of `millrace` and Polars, which is most of what the first cell of a streaming notebook would wait for. */
  warmUpLibrary(): void {
    const cell =
      'import { pl, topic } from "millrace";\ntopic("t").withColumns(pl.col("a").abs().alias("b")).filter(pl.col("b").gt(1))';
    this.#session.service.getSemanticDiagnostics(this.#session.scratch(cell));
  }

  compile(name: string, source: string): CompiledCell {
    return this.#session.compile(name, source);
  }

  complete(source: string, cursor: number): Completions {
    return complete(this.#session, source, cursor);
  }

  inspect(source: string, cursor: number, detail: 0 | 1): Inspection {
    return inspect(this.#session, source, cursor, detail);
  }

  isComplete(source: string): Completeness {
    return isComplete(source);
  }

  unknownTopics(source: string): readonly TopicMention[] {
    return topicsIn(source).filter((topic) => this.#session.columns.topic(topic) === undefined);
  }

  learnFrames(frames: Readonly<Record<string, ColumnTypes | null>>): void {
    this.#session.columns.learn(frames);
  }

  learnTopic(topic: TopicMention, columns: ColumnTypes): void {
    this.#session.columns.learnTopic(topic, columns);
  }
}
