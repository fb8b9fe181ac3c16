import type { Comm, Kernel, SessionContext } from "../jupyterlab.ts";

export interface LiveStatus {
  readonly state: "reading" | "paused" | "waiting" | "stopped" | "failed";
  readonly rate: number;
  /** Records read in each second of the last minute of reading. */
  readonly history: readonly number[];
  readonly lag: number;
  readonly kept: number;
  readonly rowsOut: number;
  readonly dropped: number;
  readonly late: number;
  readonly badRecords: number;
  readonly stateRows: number;
  readonly watermark: number | null;
  readonly line: string;
}

/** What the kernel sends of a live frame; the rows that are on screen come beside it, as an Arrow stream. */
export interface LivePicture {
  readonly request: number;
  readonly from: number;
  readonly total: number;
  readonly columns: readonly { readonly name: string; readonly dtype: string }[];
  readonly columnFrom: number;
  /** Of the columns of the rows; the one after them, if there is one, is the key. */
  readonly columnCount: number;
  /** Rows to be shown at a time, where the program says so. */
  readonly rows: number | null;
  readonly key?: string;
  readonly speed: number | null;
  readonly status: LiveStatus;
  readonly bad: string;
  readonly failed?: string;
}

export interface LiveListener<Picture> {
  /** Done when the picture has been drawn: until then there is no other. */
  picture(picture: Picture, rows: Uint8Array): unknown;
  /** There is no picture: it could not be made, or drawn. */
  error(message: string): void;
  /** What was asked for last cannot be done: why. */
  refused(message: string): void;
  /** The kernel does not know the frame: it was restarted, or the frame is long over. */
  gone(): void;
}

/** One live frame, as the kernel at hand tells of it. */
export class LiveComm<Picture = LivePicture> {
  readonly #comm: Comm;

  /** @param target `millrace.live` for a table, `millrace.chart` for a chart */
  constructor(kernel: Kernel, target: string, id: string, listener: LiveListener<Picture>) {
    this.#comm = kernel.createComm(target);
    this.#comm.onMsg = async ({ content, buffers }) => {
      const data = content.data as Picture & { error?: string; refused?: string; gone?: boolean };
      if (data.gone) return listener.gone();
      if (data.error !== undefined) return listener.error(data.error);
      if (data.refused !== undefined) return listener.refused(data.refused);
      try {
        await listener.picture(data, bytesOf(buffers?.[0]));
      } catch (error) {
        listener.error(`this picture could not be drawn: ${(error as Error).message}`);
      }
      // a page in the background draws nothing, and asks for nothing until it is looked at again
      requestAnimationFrame(() => this.send({ do: "shown" }));
    };
    this.#comm.onClose = () => listener.gone();
    this.#comm.open({ id });
  }

  send(message: Record<string, unknown>): void {
    if (!this.#comm.isDisposed) this.#comm.send(message);
  }

  close(): void {
    if (!this.#comm.isDisposed) this.#comm.close();
  }
}

function bytesOf(buffer: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (buffer === undefined) return new Uint8Array();
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** A kernel that restarts or dies forgets its comms without closing them. Returns how to stop listening. */
export function whenKernelGoes(context: SessionContext, gone: () => void): () => void {
  const heard = (_: unknown, status: string) => {
    if (/^(restarting|autorestarting|dead|terminating)$/.test(status)) gone();
  };
  context.statusChanged.connect(heard);
  return () => void context.statusChanged.disconnect(heard);
}

/** The kernel of a notebook once it is there. */
export async function kernelOf(context: SessionContext): Promise<Kernel | undefined> {
  await context.ready;
  return context.session?.kernel ?? undefined;
}
