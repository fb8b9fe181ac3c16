import pl from "nodejs-polars";
import type { ByteColumn, RecordColumns } from "../../log/columns.ts";
import type { BadValue, Decoded } from "../format.ts";
import { countCells, holdsNestedText } from "./cells.ts";
import { FieldCounter } from "./count-fields.ts";
import { examine } from "./examine.ts";
import { NativeParser } from "./native-parse.ts";
import { MAX_DEPTH, tally, tooDeep } from "./tally.ts";
import { isNested, type WireSchema } from "./wire.ts";

/** Below this many records a batch that fails is looked at record by record. */
const FEW = 64;
/** A batch that fails is taken in so many parts. */
const PARTS = 16;

/**
 * Values to columns in their wire form. The native parser takes the whole buffer; a buffer that fails is halved down to a few records, which
 * are examined one by one. A buffer that succeeds is checked against a count of the fields in its text, since the parser takes the
 * first of repeated fields, drops unknown ones without a word, and makes non-JSON text of objects.
 * @param known every field of the schema; `wires` has those wanted
 */
export function decodeValues(columns: RecordColumns, wires: WireSchema, known: ReadonlySet<string>): Decoded {
  return new Decoding(columns.values, wires, known).run(columns.count);
}

class Decoding {
  readonly #values: ByteColumn;
  readonly #wires: WireSchema;
  readonly #known: ReadonlySet<string>;
  readonly #parser: NativeParser;
  readonly #nested: boolean;
  readonly #bad: BadValue[] = [];
  readonly #frames: pl.DataFrame[] = [];
  #fieldCounter: FieldCounter | undefined;
  #unknownFields = 0;

  constructor(values: ByteColumn, wires: WireSchema, known: ReadonlySet<string>) {
    this.#values = values;
    this.#wires = wires;
    this.#known = known;
    this.#parser = new NativeParser(wires);
    this.#nested = [...wires.values()].some(isNested);
  }

  run(count: number): Decoded {
    const candidates = this.#candidates(count);
    if (candidates.length > 0) this.#decode(candidates);
    if (this.#frames.length === 0) this.#frames.push(this.#cut(this.#parser.parse()!));
    const frame = this.#frames.length === 1 ? this.#frames[0]! : pl.concat(this.#frames);
    const bad = this.#bad.sort((a, b) => a.index - b.index);
    const result = { frame, rows: frame.height, bad, unknownFields: this.#unknownFields };
    if (bad.length === 0) return result;
    const badIndices = new Set(bad.map(({ index }) => index));
    return { ...result, good: candidates.filter((index) => !badIndices.has(index)) };
  }

  /** The records that are worth parsing: no tombstone, not empty, and not so deep that the native parser would overflow its stack. */
  #candidates(count: number): Uint32Array {
    const { bytes, starts, ends, nulls } = this.#values;
    const candidates = new Uint32Array(count);
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const [start, end] = [starts[i]!, ends[i]!];
      if (nulls?.[i]) this.#bad.push({ index: i, reason: "null value (tombstone)" });
      else if (start === end) this.#bad.push({ index: i, reason: "empty value" });
      else if (end - start > MAX_DEPTH && tooDeep(bytes, start, end)) {
        this.#bad.push({ index: i, reason: `nested deeper than ${MAX_DEPTH} levels` });
      } else candidates[kept++] = i;
    }
    return candidates.subarray(0, kept);
  }

  #decode(records: Uint32Array): void {
    const lines = this.#lines(records);
    const frame = this.#parser.parse(lines);
    if (frame !== undefined && frame.height === records.length + 1) {
      if (this.#agrees(frame, lines, records)) this.#frames.push(this.#cut(frame));
      else this.#examine(records);
    } else if (records.length <= FEW) {
      this.#examine(records);
    } else {
      // in many parts rather than two: what lies beside the bad record is parsed again only once or twice
      const part = Math.max(FEW, Math.ceil(records.length / PARTS));
      for (let at = 0; at < records.length; at += part) this.#decode(records.subarray(at, at + part));
    }
  }

  /** Whether the frame holds exactly what the text says: no field twice, nothing that the parser reads in its own way. Counts unknown fields. */
  #agrees(frame: pl.DataFrame, lines: Uint8Array, records: Uint32Array): boolean {
    // half of a surrogate pair can only be written as an escape, and becomes a NUL character
    const text = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
    if (text.includes("\\ud") || text.includes("\\uD")) return false;
    const { keys, nulls, nested, odd } = tally(lines, 0, lines.length);
    const rows = frame.height - 1;
    const cells = countCells(frame, this.#wires);
    const others = keys - nulls - cells.filled;
    const unused = this.#known.size - this.#wires.size;
    if (!odd && unused > 0) {
      // fields that the program does not use are not parsed: up to one per record and column, the others are theirs
      if (others <= rows * unused) return nested === 0 || !holdsNestedText(frame, this.#wires);
    } else if (!odd && others === 0) {
      if (this.#nested) return nulls === 0 && !holdsNestedText(frame, this.#wires);
      // nulls that are written must be the nulls that are there, else one may be a field that was there before (`{"a":1,"a":null}`)
      if (nested === 0 && (nulls === 0 || nulls === cells.empty)) return true;
    }
    if (this.#nested || this.#known.size > FieldCounter.MOST) return false;
    this.#fieldCounter ??= new FieldCounter(this.#known);
    const unknown = this.#fieldCounter.unknownFields(this.#values, records);
    if (unknown !== undefined) this.#unknownFields += unknown;
    return unknown !== undefined;
  }

  /** Record by record: what does not fit is bad, the rest is written anew in a form that the native parser reads without loss. */
  #examine(records: Uint32Array): void {
    const { bytes, starts, ends } = this.#values;
    const lines: string[] = [];
    const indices: number[] = [];
    for (const index of records) {
      const examined = examine(bytes.subarray(starts[index], ends[index]), this.#wires, this.#known);
      if (examined.line === undefined) {
        this.#bad.push({ index, reason: examined.reason });
      } else {
        lines.push(examined.line);
        indices.push(index);
        this.#unknownFields += examined.unknownFields;
      }
    }
    if (lines.length === 0) return;
    const frame = this.#parser.parse(Buffer.from(`${lines.join("\n")}\n`));
    if (frame !== undefined && frame.height === lines.length + 1) {
      this.#frames.push(this.#cut(frame));
      return;
    }
    // the parser refuses what the examination let pass: find the record rather than lose the batch
    for (const [i, line] of lines.entries()) {
      const one = this.#parser.parse(Buffer.from(`${line}\n`));
      if (one?.height === 2) this.#frames.push(this.#cut(one));
      else this.#bad.push({ index: indices[i]!, reason: "not readable as the columns of the schema" });
    }
  }

  /** Takes off the made-up first row. */
  #cut(frame: pl.DataFrame): pl.DataFrame {
    return frame.slice(1, frame.height - 1);
  }

  /** The bytes of these records, each ended by a newline; a view where they lie like that already. */
  #lines(records: Uint32Array): Uint8Array {
    const { bytes, starts, ends } = this.#values;
    let adjacent = true;
    let length = 0;
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      if (i > 0 && starts[record] !== ends[records[i - 1]!]! + 1) adjacent = false;
      length += ends[record]! - starts[record]! + 1;
    }
    const [first, last] = [records[0]!, records[records.length - 1]!];
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const several = records.some((record) => {
      const found = buffer.indexOf(0x0a, starts[record]);
      return found !== -1 && found < ends[record]!;
    });
    if (adjacent && !several && bytes[ends[last]!] === 0x0a) return bytes.subarray(starts[first], ends[last]! + 1);
    const lines = new Uint8Array(length);
    let at = 0;
    for (const record of records) {
      lines.set(bytes.subarray(starts[record], ends[record]), at);
      if (several) spaced(lines, at, at + ends[record]! - starts[record]!);
      at += ends[record]! - starts[record]! + 1;
      lines[at - 1] = 0x0a;
    }
    return lines;
  }
}

/** A newline between two tokens is a blank; inside a text JSON has none. */
function spaced(bytes: Uint8Array, from: number, to: number): void {
  for (let found = bytes.indexOf(0x0a, from); found !== -1 && found < to; found = bytes.indexOf(0x0a, found + 1))
    bytes[found] = 0x20;
}
