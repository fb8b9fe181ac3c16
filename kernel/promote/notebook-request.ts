import type { ParamSpec } from "../../lib/frame/param.ts";
import type { TerminalNode } from "../../lib/plan/nodes/terminal-node.ts";
import type { ShownDigest } from "../../lib/run/replay/shown-digest.ts";
import type { Schema } from "../../lib/schema.ts";
import type { OpenedFile } from "./opened-files.ts";
import type { Ranges } from "./recorded.ts";

/** What promotion asks of a child process that executes the kept cells in notebook mode. */
export interface NotebookRequest {
  /** The notebook's folder. */
  readonly folder: string;
  /** The kept statements as a module; lines `// cell 3` tell where they come from. */
  readonly code: string;
  /** Wire schemas by topic, from the journal. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Wire schemas by source, to fall back on when Kafka cannot be asked. */
  readonly fallback: Readonly<Record<string, Schema>>;
  /** What to record for the replay; absent: nothing. */
  readonly ranges?: Ranges;
  /** What cells showed of a sink's rows: its topic, and of which records. */
  readonly shown?: readonly { readonly topic: string; readonly ranges: Ranges }[];
  /** Where the samples files are written. */
  readonly samples: string;
}

export interface NotebookAnswer {
  readonly terminals: readonly TerminalNode[];
  readonly parameters: readonly ParamSpec[];
  /** The wire schema of each source, by its topics joined with `,` or its pattern. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Sources whose schema nobody knows, and why. */
  readonly unknown: Readonly<Record<string, string>>;
  /** Files that the statements asked for while they ran. */
  readonly opened: readonly OpenedFile[];
  readonly fingerprint: string;
  readonly explained: string;
  readonly recorded: RecordedRun | { readonly nothing: string };
}

export interface RecordedRun {
  /** topic -> what of it is in `samples/`. */
  readonly samples: Readonly<Record<string, { readonly ranges: Ranges[string]; readonly records: number }>>;
  /** topic -> records per second of the sample, by their timestamps. */
  readonly rates: Readonly<Record<string, number>>;
  /** Sink topic, or what `outputName` says -> its rows as JSON lines `{"key":…,"value":{…}}`, in the order they came. */
  readonly expected: Readonly<Record<string, string>>;
  /** Per request of what was shown: the same of the kept statements; null where the records are not there any more. */
  readonly shown: readonly (ShownDigest | null)[];
}
