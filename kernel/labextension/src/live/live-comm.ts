import type { Comm, Kernel, SessionContext } from "../jupyterlab.ts";

export interface LiveStatus {
  readonly state: "reading" | "paused" | "stopped" | "failed";
  readonly rate: number;
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
  readonly key?: string;
  readonly speed: number | null;
  readonly status: LiveStatus;
  readonly bad: string;
  readonly failed?: string;
}

export interface LiveListener {
  picture(picture: LivePicture, rows: Uint8Array): void;
  error(message: string): void;
  /** The kernel does not know the frame: it was restarted, or the frame is long over. */
  gone(): void;
}

/** One live frame, as the kernel at hand tells of it. */
export class LiveComm {
  readonly #comm: Comm;

  constructor(kernel: Kernel, id: string, listener: LiveListener) {
    this.#comm = kernel.createComm("millrace.live");
    this.#comm.onMsg = ({ content, buffers }) => {
      const data = content.data as LivePicture & { error?: string; gone?: boolean };
      if (data.gone) listener.gone();
      else if (data.error !== undefined) listener.error(data.error);
      else {
        listener.picture(data, bytesOf(buffers?.[0]));
        requestAnimationFrame(() => this.send({ do: "shown" }));
      }
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

/** The kernel of a notebook once it is there. */
export async function kernelOf(context: SessionContext): Promise<Kernel | undefined> {
  await context.ready;
  return context.session?.kernel ?? undefined;
}
