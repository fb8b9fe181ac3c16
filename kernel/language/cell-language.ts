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

  /** Runs through everything a cell meets, so that V8 compiles TypeScript's code: a first cell of 2,000 lines takes half the time after some twenty of these. */
  rehearse(): void {
    this.#session.rehearse(REHEARSED);
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

/** Statements of the kinds that cells have, a tenth of a second of work. */
export const REHEARSED = Array.from({ length: 15 }, (_, n) =>
  [
    `interface Point${n} { readonly id: number; readonly name: string; readonly at?: Date }`,
    `const points${n}: Point${n}[] = [{ id: ${n}, name: "point ${n}" }];`,
    `function nearest${n}(id: number): Point${n} | undefined { return points${n}.find((point) => point.id === id) }`,
    `let length${n} = nearest${n}(${n})?.name.length ?? 0;`,
    `if (length${n} > 3) length${n} += [...points${n}].map(({ id }) => id * 2).reduce((a, b) => a + b, 0);`,
  ].join("\n"),
).join("\n");
