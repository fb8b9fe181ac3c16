import { isMarkedAsUntransferable, parentPort, type Transferable } from "node:worker_threads";
import type { RecordHeader } from "./columns.ts";
import { type DecodedRecords, type DecodeOptions, decodeRecordBatches } from "./decode.ts";
import { CorruptRecords } from "./errors.ts";

// The thread of decode-thread.ts.

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly options: DecodeOptions;
}

export type DecodeAnswer = { readonly id: number } & (
  | { readonly decoded: DecodedRecords }
  | { readonly corrupt: { readonly what: string; readonly where: string | undefined } }
);

parentPort!.on("message", ({ id, bytes, options }: DecodeRequest) => {
  try {
    const { headers, ...columns } = decodeRecordBatches(bytes, options);
    const some = headers?.some((one) => one !== undefined) === true;
    const decoded = some ? { ...columns, headers: headers!.map((one) => one?.map(alone)) } : columns;
    parentPort!.postMessage({ id, decoded } satisfies DecodeAnswer, buffersOf(columns));
  } catch (error) {
    if (!(error instanceof CorruptRecords)) throw error; // ends the thread, and shows where it is decoded again
    const { what, where } = error;
    parentPort!.postMessage({ id, corrupt: { what, where } } satisfies DecodeAnswer);
  }
});

parentPort!.postMessage("ready");

/** A small buffer is a part of a pool, which would be copied as a whole. */
const alone = ({ key, value }: RecordHeader): RecordHeader => ({
  key: new Uint8Array(key),
  value: value && new Uint8Array(value),
});

function buffersOf({ keys, values, timestamps, offsets }: DecodedRecords): Transferable[] {
  const views = [keys, values].flatMap(({ bytes, starts, ends, nulls }) => [
    bytes,
    starts,
    ends,
    ...(nulls ? [nulls] : []),
  ]);
  const buffers = new Set([...views, timestamps, offsets].map(({ buffer }) => buffer as ArrayBuffer));
  return [...buffers].filter((buffer) => !isMarkedAsUntransferable(buffer));
}
