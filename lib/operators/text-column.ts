import pl from "nodejs-polars";

/** Fewer rows are not worth a dictionary. */
const LEAST = 512;
/** Rows per different text from which a dictionary is worth it. */
const SHARED = 8;

const SEPARATOR = "\u001f";
const CODE = "§code";
const NUMBERED = pl.intRange(0, pl.len()).cast(pl.Float64).alias(CODE);

/**
 * The texts of a column by the place of the row, null as "". Where texts repeat, each crosses from Polars once and rows share it; otherwise all cross
 * in one text, and are cut apart again: half the time of handing them over one by one.
 */
export function readTexts(frame: pl.DataFrame, name: string): (row: number) => string {
  const { height } = frame;
  if (height === 0) return () => "";
  const filled = frame.select(textColumn(name).filled);
  if (height >= LEAST) {
    const distinct = filled.groupBy("§text").agg(NONE).select(TEXT);
    if (distinct.height * SHARED <= height) {
      const numbered = distinct.withColumns(NUMBERED);
      const codes = (filled.join(numbered, { on: "§text", how: "left" }) as pl.DataFrame)
        .getColumn(CODE)
        .toTypedArray();
      const texts = distinct.getColumn("§text").toArray() as string[];
      return (row) => texts[codes[row]!]!;
    }
  }
  const parts = (filled.select(JOINED).getColumn("§text").get(0) as string).split(SEPARATOR);
  const texts = parts.length === height ? parts : (filled.getColumn("§text").toArray() as string[]);
  return (row) => texts[row]!;
}

const NONE = pl.len().alias("§len");
const TEXT = pl.col("§text");
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

/** Collects texts, by number while they repeat: then each goes to Polars once. */
export class TextCollector {
  #codes = new Float64Array(1024);
  #length = 0;
  #numbers = new Map<string | null, number>();
  #different: (string | null)[] = [];
  /** All of them, once too many were different. */
  #plain: (string | null)[] | undefined;

  push(text: string | null): void {
    if (this.#plain !== undefined) {
      this.#plain.push(text);
      return;
    }
    let code = this.#numbers.get(text);
    if (code === undefined) {
      code = this.#different.length;
      this.#different.push(text);
      this.#numbers.set(text, code);
    }
    if (this.#length === this.#codes.length) {
      if (this.#different.length * SHARED > this.#length) {
        this.#plain = this.#texts();
        this.#plain.push(text);
        return;
      }
      const codes = new Float64Array(2 * this.#length);
      codes.set(this.#codes);
      this.#codes = codes;
    }
    this.#codes[this.#length++] = code;
  }

  truncate(length: number): void {
    if (this.#plain !== undefined) this.#plain.length = length;
    this.#length = length;
  }

  /** The texts so far; the collector starts anew. */
  finish(name: string): pl.Series {
    const length = this.#plain?.length ?? this.#length;
    const shared = this.#plain === undefined && length >= LEAST && this.#different.length * SHARED <= length;
    const made = shared ? this.#spread(name) : pl.Series(name, (this.#plain ?? this.#texts()) as string[], pl.Utf8);
    this.#length = 0;
    this.#plain = undefined;
    this.#numbers = new Map();
    this.#different = [];
    return made;
  }

  #texts(): (string | null)[] {
    return Array.from({ length: this.#length }, (_, i) => this.#different[this.#codes[i]!]!);
  }

  #spread(name: string): pl.Series {
    const rows = pl.DataFrame([pl.Series(CODE, this.#codes.slice(0, this.#length))]);
    const texts = pl.Series("§text", this.#different as string[], pl.Utf8);
    const dictionary = pl.DataFrame([texts]).withColumns(NUMBERED);
    const spread = rows.join(dictionary, { on: CODE, how: "left" }) as pl.DataFrame;
    return spread.getColumn("§text").rename(name);
  }
}
