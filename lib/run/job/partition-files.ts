import { randomUUID } from "node:crypto";
import { open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import pl from "nodejs-polars";
import { MillraceError, Refusal } from "../../error.ts";
import { shownColumns } from "../../plan/named-metadata.ts";
import type { ToParquetNode } from "../../plan/nodes/to-parquet-node.ts";
import { stacked } from "../../polars/stacked.ts";
import { isThere, makeFolder } from "../../state/folders.ts";
import type { KeyedStore, StoreSpec } from "../../state/store.ts";

/** Of each sink of files, which of them are committed. */
export const FILES_STORE: StoreSpec = {
  name: "parquet",
  key: ["sink"],
  schema: {
    sink: "Utf8",
    /** How many files there are; the number of the next. */
    files: "Int64",
    /** The name under which the last of them was written. */
    draft: "Utf8",
  },
};

export interface FilesContext {
  readonly sinks: ReadonlyMap<string /* terminal */, ToParquetNode>;
  /** What folders are relative to. */
  readonly root: string;
  /** Of the job; files are named after it, so that jobs may share a folder. */
  readonly job: string;
}

interface Sink {
  readonly node: ToParquetNode;
  readonly folder: string;
  files: number;
  pending: pl.DataFrame[];
}

/** Rows of so many cells make a checkpoint due. */
const MANY = 16_000_000;

/**
 * The Parquet files of one partition: `<job>-<partition>-<number>.parquet`, one per sink and checkpoint that has rows.
 *
 * A file is as exact as the checkpoint it belongs to. Before the Kafka transaction it is written under a hidden name, which goes into the state with the number of
 * files; after it the file gets its own name. Whoever opens the partition next finds in the state which files count: it gives the last one its name
 * where that was not done yet, and removes what was never committed.
 */
export class PartitionFiles {
  readonly #partition: number;
  readonly #job: string;
  readonly #store: KeyedStore;
  readonly #sinks: ReadonlyMap<string, Sink>;
  #drafts: { readonly from: string; readonly to: string }[] = [];
  #cells = 0;

  private constructor(partition: number, job: string, store: KeyedStore, sinks: ReadonlyMap<string, Sink>) {
    this.#partition = partition;
    this.#job = job;
    this.#store = store;
    this.#sinks = sinks;
  }

  /**
   * Puts the folders in the state of the last checkpoint.
   * @throws {MillraceError} `FILES_FOLDER`, {@link Refusal} `FILES_OF_ANOTHER_RUN`
   */
  static async open({ sinks, root, job }: FilesContext, partition: number, store: KeyedStore): Promise<PartitionFiles> {
    const rows = (await store.all())
      .select("sink", pl.col("files").cast(pl.Float64), "draft")
      .rows() as unknown as readonly [string, number, string][];
    const known = new Map(rows.map(([sink, files, draft]) => [sink, { files, draft }]));
    const all = new Map<string, Sink>();
    for (const [terminal, node] of sinks) {
      const { files, draft } = known.get(terminal) ?? { files: 0, draft: "" };
      const folder = path.resolve(root, node.folder);
      all.set(terminal, { node, folder, files, pending: [] });
      await guarded(folder, async () => {
        await makeFolder(folder);
        await tidied(folder, `${job}-${partition}-`, files, draft);
      });
    }
    return new PartitionFiles(partition, job, store, all);
  }

  /** Rows for the next checkpoint. */
  take(terminal: string, rows: pl.DataFrame): void {
    this.#sinks.get(terminal)!.pending.push(rows);
    this.#cells += rows.height * rows.width;
  }

  /** Whether they have come to take much memory. */
  get many(): boolean {
    return this.#cells > MANY;
  }

  /** Writes what was taken under hidden names, and notes them in the state. */
  async draft(): Promise<void> {
    for (const [terminal, sink] of this.#sinks) {
      if (sink.pending.length === 0) continue;
      const rows = stacked(sink.pending);
      sink.pending = [];
      const { folder, node } = sink;
      const name = fileName(`${this.#job}-${this.#partition}-`, sink.files);
      const draft = `.${name}.${randomUUID()}.draft`;
      const from = path.join(folder, draft);
      await guarded(folder, async () => {
        rows.select(...shownColumns(node.input, rows.columns)).writeParquet(from);
        await onDisk(from);
      });
      sink.files++;
      this.#drafts.push({ from, to: path.join(folder, name) });
      await this.#store.upsert(
        pl.DataFrame([
          pl.Series("sink", [terminal], pl.Utf8),
          pl.Series("files", [sink.files], pl.Float64).cast(pl.Int64),
          pl.Series("draft", [draft], pl.Utf8),
        ]),
      );
    }
    this.#cells = 0;
  }

  /** After the transaction: the files get their names. */
  async publish(): Promise<void> {
    const drafts = this.#drafts;
    this.#drafts = [];
    for (const { from, to } of drafts) await guarded(path.dirname(to), () => named(from, to));
  }
}

const fileName = (prefix: string, number: number) => `${prefix}${String(number).padStart(8, "0")}.parquet`;

/** Of the files of one partition: the last gets its name, drafts that were never committed go. */
async function tidied(folder: string, prefix: string, files: number, draft: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry === draft) await named(path.join(folder, entry), path.join(folder, fileName(prefix, files - 1)));
    else if (entry.startsWith(`.${prefix}`) && entry.endsWith(".draft"))
      await rm(path.join(folder, entry), { force: true });
    else if (numberOf(entry, prefix) >= files)
      throw new Refusal({
        code: "FILES_OF_ANOTHER_RUN",
        what: `${entry} is there, although this job has committed ${files} files of the partition: it is of an earlier run, and both would be read.`,
        where: folder,
        remedies: [
          "move the files of the earlier run away, or remove them",
          "or write elsewhere: MILLRACE_FILES_DIR is what folders are relative to",
        ],
      });
  }
}

/** NaN for files of others. */
function numberOf(entry: string, prefix: string): number {
  if (!entry.startsWith(prefix) || !entry.endsWith(".parquet")) return Number.NaN;
  const text = entry.slice(prefix.length, -".parquet".length);
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** Another worker that has taken the partition over may have done it already. */
async function named(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async (error) => {
    if (error.code !== "ENOENT" || !(await isThere(to))) throw error;
  });
  await onDisk(path.dirname(to));
}

/** A file, or the names in a folder. */
async function onDisk(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function guarded(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError({
      code: "FILES_FOLDER",
      what: `The files of .toParquet cannot be written: ${(cause as Error).message}`,
      where: folder,
      remedies: [
        "make the folder writable, with free space",
        "or write elsewhere: MILLRACE_FILES_DIR is what folders are relative to",
      ],
      cause,
    });
  }
}
