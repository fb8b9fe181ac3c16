import type { CodeCell } from "./notebook.ts";

/** What is known of a job's load from the notebook: how much came in, what a record cost there, and how much state it left. */
export interface Measured {
  /** Of all topics together, by the records' own timestamps. */
  readonly recordsPerSecond: number;
  /** Of the dearest bounded read; the display and the front end are in it. */
  readonly millisecondsPerRecord: number;
  readonly stateRows: number;
}

/** @param rates records per second by topic, from the recorded samples; undefined where the notebook measured nothing */
export function measuredOf(cells: readonly CodeCell[], rates: Readonly<Record<string, number>>): Measured | undefined {
  const costs = cells.flatMap(({ execution }) => execution?.reads ?? []).flatMap(({ cost }) => cost ?? []);
  const telling = costs.filter(({ records }) => records > 0);
  if (telling.length === 0 || Object.keys(rates).length === 0) return undefined;
  return {
    recordsPerSecond: rounded(Object.values(rates).reduce((sum, rate) => sum + rate, 0)),
    millisecondsPerRecord: rounded(Math.max(...telling.map(({ records, milliseconds }) => milliseconds / records))),
    stateRows: Math.max(...telling.map(({ stateRows }) => stateRows)),
  };
}

const rounded = (value: number) => Number(value.toPrecision(2));

/** As Kubernetes writes quantities. */
export interface Resources {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
  readonly storage: string;
}

/** A process without state, in MiB; and what a row of state takes at most in memory and on disk, in KiB. */
const PROCESS = 512;
const ROW = 2;
const HEADROOM = 3;

/** Requests with room for three times what was seen; where nothing was, for a small job. */
export function resourcesFor(measured: Measured | undefined): Resources {
  const { recordsPerSecond, millisecondsPerRecord, stateRows } = measured ?? NOTHING;
  const milli = measured === undefined ? 500 : recordsPerSecond * millisecondsPerRecord * HEADROOM;
  const state = (stateRows * ROW * HEADROOM) / 1024; // MiB
  const memory = PROCESS + Math.ceil(Math.max(0, state - 64) / 256) * 256;
  return {
    // a worker does one thing at a time; Polars and the sockets have threads beside it
    cpu: `${clamp(Math.ceil(milli / 100) * 100, 100, 2000)}m`,
    memory: `${memory}Mi`,
    memoryLimit: `${Math.max(2048, memory * 2)}Mi`,
    storage: `${Math.max(10, Math.ceil((state * 2) / 1024))}Gi`,
  };
}

const NOTHING: Measured = { recordsPerSecond: 0, millisecondsPerRecord: 0, stateRows: 0 };

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
