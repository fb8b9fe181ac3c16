import { createHash } from "node:crypto";
import type { ReadRecord, ShownRecord, SinkRecord } from "../../lib/run/host.ts";

/** One execution of a cell, as promotion needs it. Travels in the notebook as `metadata.millrace` of the cell's outputs. */
export interface JournalEntry {
  /** Number of the execution in its session, from 1; also counts executions that leave no history. */
  readonly seq: number;
  /** Session the number belongs to. */
  readonly session: string;
  /** The number of the first of its executions, one after another, that ran this source and did not fail. */
  readonly since: number;
  /** The notebook's id of the cell, where the client sends it (JupyterLab does). */
  readonly cellId: string | undefined;
  readonly executionCount: number;
  /** SHA-256 of the cell's source, hexadecimal. */
  readonly sha256: string;
  /** Undefined while the cell runs. */
  readonly ok: boolean | undefined;
  /** What its live frames and collects have read so far, one entry per topic. */
  readonly reads: readonly JournaledRead[];
  /** The sinks it declared. */
  readonly sinks: readonly SinkRecord[];
  /** Digests of what its bounded reads showed. */
  readonly shown: readonly ShownRecord[];
}

/** Notebooks are saved with the keys of objects sorted; `columns` keeps the schema's order. */
export interface JournaledRead extends ReadRecord {
  readonly columns: readonly string[];
}

export class Journal {
  readonly entries: JournalEntry[] = [];

  begin(
    entry: Omit<JournalEntry, "since" | "sha256" | "reads" | "sinks" | "shown" | "ok"> & { source: string },
  ): RunningEntry {
    const { source, ...rest } = entry;
    const nothing = { ok: undefined, reads: [], sinks: [], shown: [] };
    const sha256 = sourceHash(source);
    const before = this.entries.findLast(({ cellId }) => cellId !== undefined && cellId === rest.cellId);
    const since = before?.sha256 === sha256 && before.ok === true ? before.since : rest.seq;
    const running = new RunningEntry({ ...rest, since, sha256, ...nothing });
    this.entries.push(running.entry);
    return running;
  }
}

export const sourceHash = (source: string): string => createHash("sha256").update(source).digest("hex");

export class RunningEntry {
  readonly entry: { -readonly [K in keyof JournalEntry]: JournalEntry[K] };

  constructor(entry: JournalEntry) {
    this.entry = { ...entry };
  }

  end(ok: boolean): void {
    this.entry.ok = ok;
  }

  /** A longer range of the same topic takes the place of the earlier one; ranges of other partitions are kept. */
  recordRead(read: ReadRecord): void {
    const earlier = this.entry.reads.find(({ topic }) => topic === read.topic);
    const ranges: Record<string, readonly [number, number]> = { ...earlier?.ranges };
    for (const [partition, [from, to]] of Object.entries(read.ranges)) {
      const known = ranges[partition];
      ranges[partition] = known === undefined ? [from, to] : [Math.min(known[0], from), Math.max(known[1], to)];
    }
    const others = this.entry.reads.filter((other) => other !== earlier);
    this.entry.reads = [...others, { ...read, columns: Object.keys(read.schema), ranges }];
  }

  recordSink(sink: SinkRecord): void {
    if (this.entry.sinks.some(({ id }) => id === sink.id)) return;
    this.entry.sinks = [...this.entry.sinks, sink];
  }

  recordShown(shown: ShownRecord): void {
    this.entry.shown = [...this.entry.shown, shown];
  }

  /** A copy for an output's metadata. */
  metadata(): { millrace: JournalEntry } {
    return { millrace: structuredClone(this.entry) };
  }
}
