import type { ColumnTypes, TopicMention } from "./columns/known-columns.ts";
import type { CompiledCell } from "./compiled-cell.ts";

/** What the language thread answers; each method may be called from another thread through `LanguageClient`. */
export interface LanguageService {
  compile(name: string, source: string): CompiledCell;
  complete(source: string, cursor: number): Completions;
  inspect(source: string, cursor: number, detail: 0 | 1): Inspection;
  isComplete(source: string): Completeness;
  /** The topics that a cell opens by name without a schema, as far as their columns are not known. */
  unknownTopics(source: string): readonly TopicMention[];
  /** Tells the columns of frames by the names of the variables that hold them; null: it holds none. */
  learnFrames(frames: Readonly<Record<string, ColumnTypes | null>>): void;
  learnTopic(topic: TopicMention, columns: ColumnTypes): void;
}

/** Positions in code points, as Jupyter counts. */
export interface Completions {
  readonly matches: readonly string[];
  readonly cursorStart: number;
  readonly cursorEnd: number;
  readonly items: readonly CompletionItem[];
}

export interface CompletionItem {
  readonly text: string;
  /** Kind of thing: `function`, `property`, `keyword`, … */
  readonly type: string;
}

export type Inspection =
  | { readonly found: false }
  | { readonly found: true; readonly plain: string; readonly markdown: string };

export type Completeness =
  | { readonly status: "complete" | "invalid" | "unknown" }
  | { readonly status: "incomplete"; readonly indent: string };
