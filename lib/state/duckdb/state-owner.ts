import { MillraceError, Refusal } from "../../error.ts";

// Whose a state file is, and what keeps a process from opening it.

/** Raised when a file of an older build can no longer be read as it is. */
export const FORMAT_VERSION = 1;

/** How long a file that another process has open is waited for, ms. */
const LOCK_PATIENCE = 5000;

/** Whose state a file is. A file of another owner is refused. */
export interface StateOwner {
  readonly job: string;
  /** The plan's fingerprint. */
  readonly fingerprint: string;
}

export function refuseOthers(about: Record<string, string>, owner: StateOwner, file: string): void {
  if (Number(about.format) > FORMAT_VERSION) {
    throw new Refusal({
      code: "STATE_FROM_NEWER_VERSION",
      what: `The state file has format ${about.format}; this Millrace reads up to ${FORMAT_VERSION}.`,
      where: file,
      remedies: ["run the newer Millrace that wrote it", "or give another folder: MILLRACE_STATE_DIR"],
    });
  }
  if (about.job !== owner.job) {
    throw new Refusal({
      code: "STATE_OF_ANOTHER_JOB",
      what: `The state file belongs to the job ${about.job}, not to ${owner.job}.`,
      where: file,
      remedies: [
        "give this job a folder of its own: MILLRACE_STATE_DIR",
        `or its own name back: MILLRACE_JOB_NAME=${about.job}`,
      ],
    });
  }
}

export function folderTrouble(folder: string, cause: unknown): MillraceError {
  return new MillraceError({
    code: "STATE_FOLDER",
    what: `The state folder cannot be written (${reason((cause as Error).message)}).`,
    where: folder,
    remedies: ["make it writable, with free space", "or name another: MILLRACE_STATE_DIR"],
    cause,
  });
}

/** Polars' writers panic with the system's error in the text. */
const reason = (message: string) => /\bOs \{[^}]*message: \\?"([^"\\]+)/.exec(message)?.[1] ?? firstLine(message);

export const isLocked = (error: unknown) => /could not set lock/i.test((error as Error).message);

/** Tries again for a few seconds: a reader, or a process that is ending, has the file. */
export async function whileLocked<T>(open: () => Promise<T>): Promise<T> {
  const end = Date.now() + LOCK_PATIENCE;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isLocked(error) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export const firstLine = (text: string) => text.split("\n")[0] as string;
