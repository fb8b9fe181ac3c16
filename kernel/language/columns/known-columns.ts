/** Names of columns to their dtypes. */
export type ColumnTypes = Readonly<Record<string, string>>;

/** A topic that a cell opens without a schema. */
export interface TopicMention {
  readonly name: string;
  readonly key?: string;
  readonly time?: string;
  readonly format?: string;
}

/** What is known at an expression of a cell. */
export interface Columns {
  /** A dtype is undefined where only the name is known. */
  readonly types: ReadonlyMap<string, string | undefined>;
  /** There are no others. Only then can a name be wrong. */
  readonly closed: boolean;
}

/** The columns of frames that cells made, and of topics that were sampled: told by the thread that runs cells, which has the frames. */
export class KnownColumns {
  readonly #frames = new Map<string, ColumnTypes>();
  readonly #topics = new Map<string, ColumnTypes>();

  /** @param frames name of a cell's variable -> columns; null where it holds no frame any more */
  learn(frames: Readonly<Record<string, ColumnTypes | null>>): void {
    for (const [name, types] of Object.entries(frames)) {
      if (types === null) this.#frames.delete(name);
      else this.#frames.set(name, types);
    }
  }

  learnTopic(topic: TopicMention, types: ColumnTypes): void {
    this.#topics.set(keyOf(topic), types);
  }

  frame(name: string): Columns | undefined {
    return columns(this.#frames.get(name));
  }

  topic(topic: TopicMention): Columns | undefined {
    return columns(this.#topics.get(keyOf(topic)));
  }
}

const keyOf = ({ name, key, time, format = "json" }: TopicMention): string =>
  JSON.stringify([name, key ?? null, time ?? null, format]);

const columns = (types: ColumnTypes | undefined): Columns | undefined =>
  types && { types: new Map(Object.entries(types)), closed: true };
