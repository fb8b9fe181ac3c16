import { randomUUID } from "node:crypto";
import {
  type Channel,
  type DisplayHandle,
  HOST,
  type MimeBundle,
  type NotebookHost,
  type ReadRecord,
  type ShownRecord,
  type SinkRecord,
} from "../../lib/run/host.ts";
import { type CellRun, currentRun } from "./cell-run.ts";

/** How long a live cell runs in a headless run when `MILLRACE_LIVE_FOR` does not say, in ms. */
const LIVE_FOR = 5000;

/** What the kernel offers to the library: the calling cell's displays, signal, journal. */
export class KernelHost implements NotebookHost {
  readonly #running: () => CellRun | undefined;

  /** @param running the cell that is busy now: it stands in where the asynchronous context was lost */
  constructor(running: () => CellRun | undefined) {
    this.#running = running;
  }

  /** The cell that caused the running code. */
  cell(): CellRun | undefined {
    return currentRun.getStore() ?? this.#running();
  }

  get headless(): boolean {
    return process.env.MILLRACE_LIVE_FOR !== undefined || (this.cell()?.headless ?? false);
  }

  get liveFor(): number {
    return milliseconds(process.env.MILLRACE_LIVE_FOR) ?? LIVE_FOR;
  }

  display(
    bundle: MimeBundle,
    { id = randomUUID(), metadata }: { id?: string; metadata?: Record<string, unknown> } = {},
  ): DisplayHandle {
    const owner = this.cell();
    if (owner === undefined || owner.silent || !owner.displays.take(bundle)) return { id, update: () => {} };
    const withJournal = () => ({ ...metadata, ...owner.journal.metadata() });
    owner.outputs.display(bundle, withJournal(), id);
    return {
      id,
      // nbclient and papermill take an update, also of an earlier cell's display, only from the request that is running; where none runs the owner's
      // is the only one there is. Front ends go by the display id.
      update: (next) => (this.#running() ?? owner).outputs.updateDisplay(next, withJournal(), id),
    };
  }

  hold(promise: Promise<unknown>): void {
    const holds = this.cell()?.holds;
    if (holds === undefined) return;
    holds.add(promise);
    const release = () => holds.delete(promise);
    promise.then(release, release);
  }

  recordRead(read: ReadRecord): void {
    this.cell()?.journal.recordRead(read);
  }

  recordShown(shown: ShownRecord): void {
    this.cell()?.journal.recordShown(shown);
  }

  recordSink(sink: SinkRecord): void {
    this.cell()?.journal.recordSink(sink);
  }

  /** Only where a front end is: `millrace run` has none. Who listens lives longer than the cell that was running: its callbacks belong to none. */
  get listen(): NotebookHost["listen"] {
    const { comm } = globalThis as unknown as { comm?: CommTargets };
    if (comm === undefined) return undefined;
    return (target, opened) =>
      currentRun.exit(() => comm.register(target, (opening, data) => opened(channelOf(opening), data)));
  }
}

/** What this uses of the comms at `globalThis.comm`. */
interface CommTargets {
  register(target: string, opened: (comm: OpenComm, data: unknown) => void): void;
}

interface OpenComm {
  send(data: unknown, options?: { readonly buffers?: readonly Uint8Array[] }): void;
  onMessage: ((data: unknown) => void) | undefined;
  onClose: (() => void) | undefined;
}

const channelOf = (comm: OpenComm): Channel => ({
  send: (message, buffers) => comm.send(message, buffers && { buffers }),
  onMessage: (callback) => {
    comm.onMessage = callback;
  },
  onClose: (callback) => {
    comm.onClose = () => callback();
  },
});

export function installNotebookHost(host: NotebookHost): void {
  Object.defineProperty(globalThis, HOST, { value: host, configurable: true });
}

/** `30s`, `500ms`, `2m`, or a number of milliseconds. */
function milliseconds(text: string | undefined): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(text?.trim() ?? "");
  if (parts === null) return undefined;
  return Number(parts[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[(parts[2] ?? "ms") as "ms"];
}
