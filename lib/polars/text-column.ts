import pl from "nodejs-polars";
import { sharedTexts } from "./shared-texts.ts";
import { textViews } from "./text-views.ts";

/** Fewer rows are not worth a dictionary. */
const LEAST = 512;
/** Rows per different text from which a dictionary is worth it. */
const SHARED = 8;

const SEPARATOR = "\u001f";
const CODE = "§code";

/**
 * The texts of a column by the place of the row, null as "". Where texts repeat, each crosses from Polars once and rows share it; otherwise all cross
 * in one text, and are cut apart again: half the time of handing them over one by one.
 */
export function readTexts(frame: pl.DataFrame, name: string): (row: number) => string {
  const { height } = frame;
  if (height === 0) return () => "";
  const filled = frame.select(textColumn(name).filled);
  if (height >= LEAST) {
    const views = textViews(filled);
    const shared = views && sharedTexts(views);
    if (shared !== undefined) return shared;
  }
  const parts = (filled.select(JOINED).getColumn("§text").get(0) as string).split(SEPARATOR);
  const texts = parts.length === height ? parts : (filled.getColumn("§text").toArray() as string[]);
  return (row) => texts[row]!;
}

const JOINED = pl.col("§text").str.concat(SEPARATOR);

const exprs = new Map<string, { readonly filled: pl.Expr }>();

/** Built once per name: nodejs-polars makes expressions slowly. */
function textColumn(name: string): { readonly filled: pl.Expr } {
  let made = exprs.get(name);
  if (made === undefined) {
    made = { filled: pl.col(name).fillNull(pl.lit("")).alias("§text") };
    exprs.set(name, made);
  }
  return made;
}

/** Texts that a collector knows at most, and the characters in them. */
const MOST = 65_536;
const MOST_CHARACTERS = 4_000_000;
/** Rows of a first batch after which it is judged whether its texts repeat. */
const PATIENCE = 8192;

/**
 * Collects texts, by number while they repeat: then each goes to Polars once, however many batches hold it. The texts of former batches stay known,
 * since the next batch has the same keys as a rule.
 */
export class TextCollector {
  #codes = new Uint32Array(1024);
  #length = 0;
  readonly #numbers = new Map<string | null, number>();
  #known: (string | null)[] = [];
  #characters = 0;
  /** Texts that became known in this batch. */
  #fresh = 0;
  #judgedFrom = PATIENCE;
  /** The known texts as Polars has them, as far as it was told. */
  #dictionary: pl.Series | undefined;
  /** All of this batch, once too many were fresh. */
  #plain: (string | null)[] | undefined;

  push(text: string | null): void {
    if (this.#plain !== undefined) {
      this.#plain.push(text);
      return;
    }
    const code = this.#numbers.get(text) ?? this.#learn(text);
    if (this.#length === this.#codes.length && !this.#grow()) {
      this.#plain!.push(text);
      return;
    }
    this.#codes[this.#length++] = code;
  }

  #learn(text: string | null): number {
    const code = this.#known.length;
    this.#known.push(text);
    this.#numbers.set(text, code);
    this.#characters += text?.length ?? 0;
    this.#fresh++;
    return code;
  }

  /** False where it goes on with plain texts, since few of them repeat. */
  #grow(): boolean {
    if (this.#length >= this.#judgedFrom && this.#fresh * SHARED > this.#length) {
      this.#plain = this.#texts();
      return false;
    }
    const codes = new Uint32Array(2 * this.#length);
    codes.set(this.#codes);
    this.#codes = codes;
    return true;
  }

  truncate(length: number): void {
    if (this.#plain !== undefined) this.#plain.length = length;
    this.#length = length;
  }

  /** The texts so far; the collector starts anew. */
  finish(name: string): pl.Series {
    const length = this.#plain?.length ?? this.#length;
    const shared = this.#plain === undefined && length >= LEAST && this.#fresh * SHARED <= length;
    const made = shared ? this.#spread(name) : pl.Series(name, (this.#plain ?? this.#texts()) as string[], pl.Utf8);
    this.#length = 0;
    this.#plain = undefined;
    this.#fresh = 0;
    this.#judgedFrom = 1024;
    if (this.#known.length > MOST || this.#characters > MOST_CHARACTERS) this.#forget();
    return made;
  }

  #forget(): void {
    this.#numbers.clear();
    this.#known = [];
    this.#characters = 0;
    this.#dictionary = undefined;
    this.#judgedFrom = PATIENCE;
  }

  #texts(): (string | null)[] {
    return Array.from({ length: this.#length }, (_, i) => this.#known[this.#codes[i]!]!);
  }

  #spread(name: string): pl.Series {
    const told = this.#dictionary?.length ?? 0;
    if (told < this.#known.length) {
      const more = pl.Series("§text", this.#known.slice(told) as string[], pl.Utf8);
      this.#dictionary = this.#dictionary === undefined ? more : (pl.concat([this.#dictionary, more]) as pl.Series);
    }
    const codes = pl.DataFrame([pl.Series(CODE, this.#codes.subarray(0, this.#length))]);
    return codes.select(pl.lit(this.#dictionary).explode().gather(pl.col(CODE)).alias(name)).getColumn(name);
  }
}
