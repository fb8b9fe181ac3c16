import { formatOf } from "../../format/index.ts";
import type { RecordColumns } from "../../log/columns.ts";
import { takeRecords } from "../../log/index.ts";
import type { SourceNode } from "../../plan/nodes/source-node.ts";
import type { Schema } from "../../schema.ts";
import { describeSource } from "../source/source-schema.ts";

/** Records that are looked at, of a batch that has something the schema does not say. */
const SAMPLE = 200;
/** How often at most that is done, ms: to look costs more than to read. */
const EVERY = 5000;

/** Watches whether the messages of a source are still written as its schema says. */
export class SchemaDrift {
  readonly #node: SourceNode;
  readonly #wire: Schema;
  #looked = Number.NEGATIVE_INFINITY;
  readonly #lines = new Map<string, string>();

  /** @param wire how messages are written, as given or inferred */
  constructor(node: SourceNode, wire: Schema) {
    this.#node = node;
    this.#wire = wire;
  }

  /** In words, one per field. */
  get lines(): readonly string[] {
    return [...this.#lines.values()];
  }

  /** @param odd the batch has fields that are not in the schema, or bad records */
  look(columns: RecordColumns, odd: boolean): void {
    if (!odd || columns.count === 0 || performance.now() - this.#looked < EVERY) return;
    this.#looked = performance.now();
    const step = Math.max(1, Math.floor(columns.count / SAMPLE));
    const chosen = Uint32Array.from({ length: Math.min(SAMPLE, columns.count) }, (_, i) => i * step);
    let seen: Schema;
    try {
      seen = formatOf(this.#node.format).inferSchema([takeRecords(columns, chosen) as RecordColumns]);
    } catch {
      return; // not readable at all: the bad records say so
    }
    for (const [name, dtype] of Object.entries(seen)) {
      const known = this.#wire[name];
      if (known === undefined && name !== this.#node.key)
        this.#lines.set(
          name,
          `${describeSource(this.#node)} now has a field "${name}" (${dtype}) that the schema does not: it is left out`,
        );
      else if (known !== undefined && !fits(dtype, known))
        this.#lines.set(name, `${describeSource(this.#node)}: "${name}" was ${known} and now is ${dtype}`);
    }
  }
}

/** Whether values of a dtype are read into a column of another one as they are. */
function fits(seen: string, known: string): boolean {
  if (seen === known || seen === "Null" || known.startsWith("Datetime") || known === "Date") return true;
  const number = /^(U?Int\d+|Float\d+)$/;
  if (number.test(seen) && number.test(known)) return !(seen.startsWith("Float") && !known.startsWith("Float"));
  return !(number.test(seen) || number.test(known) || seen === "Boolean" || known === "Boolean" || seen === "Utf8");
}
