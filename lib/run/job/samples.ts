import { readFile, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { MillraceError } from "../../error.ts";
import type { ByteColumn, RecordColumns, RecordHeader } from "../../log/columns.ts";

/** Recorded records of one partition of a topic. */
export interface Sample {
  readonly partition: number;
  readonly columns: RecordColumns;
}

/**
 * One record of a samples file (gzipped JSON lines), in the order partition, offset:
 * `{"partition":0,"offset":5,"timestamp":1700000000000,"key":"a","value":"{…}"}`; bytes that are not UTF-8 text are
 * `{"base64":"…"}`, a null is null; `headers` only where the record has any: `[["name", value], …]`.
 */
interface SampleLine {
  partition: number;
  offset: number;
  timestamp: number;
  key: SampleBytes;
  value: SampleBytes;
  headers?: [SampleBytes, SampleBytes][];
}
type SampleBytes = string | { base64: string } | null;

/** The name of the samples file of a topic. */
export const samplesFile = (topic: string) => `${topic}.jsonl.gz`;

/** Writes records of one topic for a later replay. The same records give the same bytes. */
export async function writeSamples(file: string, samples: Iterable<Sample>): Promise<void> {
  const lines: string[] = [];
  for (const { partition, columns } of [...samples].sort((a, b) => a.partition - b.partition)) {
    if (columns.offsets === undefined) throw new TypeError("samples need their offsets");
    for (let i = 0; i < columns.count; i++) {
      const headers = columns.headers?.[i];
      const line: SampleLine = {
        partition,
        offset: columns.offsets[i] as number,
        timestamp: columns.timestamps[i] as number,
        key: written(cell(columns.keys, i)),
        value: written(cell(columns.values, i)),
        ...(headers?.length ? { headers: headers.map(({ key, value }) => [written(key), written(value)]) } : {}),
      };
      lines.push(JSON.stringify(line));
    }
  }
  await writeFile(file, gzipSync(lines.length === 0 ? "" : `${lines.join("\n")}\n`, { level: 9 }));
}

/**
 * Reads a samples file back as the columns a fetch would give: one entry per partition, in offset order.
 * @throws {MillraceError} `BAD_SAMPLES`
 */
export async function readSamples(file: string): Promise<Sample[]> {
  const text = gunzipSync(await readFile(file)).toString("utf8");
  const partitions = new Map<number, SampleLine[]>();
  for (const [index, json] of text.split("\n").entries()) {
    if (json === "") continue;
    let line: SampleLine;
    try {
      line = JSON.parse(json) as SampleLine;
    } catch (cause) {
      throw new MillraceError({
        code: "BAD_SAMPLES",
        what: "A recorded sample is not JSON.",
        where: `${file}:${index + 1}`,
        cause,
      });
    }
    const lines = partitions.get(line.partition);
    if (lines === undefined) partitions.set(line.partition, [line]);
    else lines.push(line);
  }
  return [...partitions]
    .sort(([a], [b]) => a - b)
    .map(([partition, lines]) => ({ partition, columns: columnsOf(lines) }));
}

function columnsOf(lines: readonly SampleLine[]): RecordColumns {
  const withHeaders = lines.some((line) => line.headers !== undefined);
  return {
    count: lines.length,
    keys: byteColumn(
      lines.map((line) => read(line.key)),
      false,
    ),
    values: byteColumn(
      lines.map((line) => read(line.value)),
      true,
    ),
    timestamps: Float64Array.from(lines, (line) => line.timestamp),
    offsets: Float64Array.from(lines, (line) => line.offset),
    ...(withHeaders ? { headers: lines.map((line) => line.headers?.map(header)) } : {}),
  };
}

const header = ([key, value]: [SampleBytes, SampleBytes]): RecordHeader => ({
  key: read(key) ?? new Uint8Array(),
  value: read(value),
});

/** Byte strings joined into one buffer; with `lines`, each is followed by a newline, as a fetch gives values. */
export function byteColumn(cells: readonly (Uint8Array | null)[], lines: boolean): ByteColumn {
  const end = lines ? 1 : 0;
  const bytes = new Uint8Array(cells.reduce((sum, one) => sum + (one?.length ?? 0) + end, 0));
  const starts = new Uint32Array(cells.length);
  const ends = new Uint32Array(cells.length);
  const nulls = new Uint8Array(cells.length);
  let at = 0;
  for (const [i, one] of cells.entries()) {
    starts[i] = at;
    if (one === null) nulls[i] = 1;
    else bytes.set(one, at);
    at += one?.length ?? 0;
    ends[i] = at;
    if (lines) bytes[at++] = 0x0a;
  }
  return nulls.includes(1) ? { bytes, starts, ends, nulls } : { bytes, starts, ends };
}

/** One entry of a byte column, not copied; null where it is null. */
export function cell(column: ByteColumn, i: number): Uint8Array | null {
  return column.nulls?.[i] === 1 ? null : column.bytes.subarray(column.starts[i], column.ends[i]);
}

/** Bytes that are known to be text. */
export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function written(bytes: Uint8Array | null): SampleBytes {
  if (bytes === null) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}

function read(bytes: SampleBytes): Uint8Array | null {
  if (bytes === null) return null;
  return typeof bytes === "string" ? Buffer.from(bytes, "utf8") : Buffer.from(bytes.base64, "base64");
}
