import type { ByteColumn } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import type { PackedColumns, Values } from "../format.ts";
import { Layout } from "./layout.ts";

/** What messages hold, as it lies in them. */
export interface PlainMessages extends PackedColumns {
  /** Columns of messages that are not in the schema. */
  readonly unknownFields: number;
}

/**
 * Messages of plain numbers (see {@link Layout}), integers of 64 bits and times small enough for a double. Nothing is copied but messages that do not lie where numbers
 * may. Undefined where one message is otherwise: Polars then reads all of them, and says what is wrong.
 * @param names the columns wanted, of the schema
 */
export function plainMessages(
  { bytes, starts, ends, nulls }: ByteColumn,
  count: number,
  schema: Schema,
  names: readonly string[],
): PlainMessages | undefined {
  if (nulls !== undefined || names.length === 0) return undefined;
  const layouts = layoutsOf(schema, names);
  const columns = new Map(names.map((name) => [name, new Array<Values>(count)]));
  const rows = new Array<number>(count);
  let unknownFields = 0;
  for (let index = 0; index < count; index++) {
    const message = aligned(bytes.subarray(starts[index], ends[index]));
    const layout = layouts.of(message);
    const values = layout?.read(message);
    if (layout === undefined || values === undefined) return undefined;
    for (const [name, of] of columns) of[index] = values.get(name)!;
    rows[index] = layout.rows;
    unknownFields += layout.unknownFields;
  }
  return { columns, rows, unknownFields };
}

/** Numbers are read where they lie, if that is where numbers may. */
function aligned({ buffer, byteOffset, length }: Uint8Array): Buffer {
  const message = Buffer.from(buffer, byteOffset, length);
  if (byteOffset % 8 === 0) return message;
  const copy = Buffer.allocUnsafeSlow(length);
  message.copy(copy);
  return copy;
}

/** So many are remembered, the last ones. */
const MOST = 256;
/** So many are looked for, and another for so many messages that were found: who sends each message in a layout of its own has them read by Polars. */
const AT_FIRST = 64;
const FOR_ANOTHER = 8;

/** The layouts of messages that were read for the same columns. */
class Layouts {
  readonly #schema: Schema;
  readonly #names: readonly string[];
  /** The last ones that were used are in front. */
  #known: Layout[] = [];
  #found = 0;
  #looked = 0;

  constructor(schema: Schema, names: readonly string[]) {
    this.#schema = schema;
    this.#names = names;
  }

  /** Undefined where the message is not one of plain numbers. */
  of(message: Buffer): Layout | undefined {
    const at = this.#known.findIndex((layout) => layout.isOf(message));
    if (at >= 0) {
      this.#found++;
      const same = this.#known[at]!;
      if (at > 0) {
        this.#known.splice(at, 1);
        this.#known.unshift(same);
      }
      return same;
    }
    if (this.#looked >= AT_FIRST + this.#found / FOR_ANOTHER) return undefined;
    const layout = Layout.of(message, this.#schema, this.#names);
    if (layout === undefined) return undefined;
    this.#looked++;
    this.#known.unshift(layout);
    if (this.#known.length > MOST) this.#known.pop();
    return layout;
  }
}

const layouts = new WeakMap<Schema, Map<string, Layouts>>();

function layoutsOf(schema: Schema, names: readonly string[]): Layouts {
  const ofSchema = layouts.get(schema) ?? new Map<string, Layouts>();
  layouts.set(schema, ofSchema);
  const key = JSON.stringify(names);
  const own = ofSchema.get(key) ?? new Layouts(schema, names);
  ofSchema.set(key, own);
  return own;
}
