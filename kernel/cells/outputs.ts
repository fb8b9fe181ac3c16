import type { MimeBundle } from "../../lib/run/host.ts";

export type Metadata = Record<string, unknown>;

/** What a failed cell leaves: the name and message of the error, and its printed form (ANSI colours) line by line. */
export interface ErrorContent {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/**
 * Where one execution's output goes. The interpreter knows nothing of Jupyter's messages: the kernel gives it an implementation that
 * publishes, `millrace run` one that writes a notebook. An implementation is kept as long as its cell may still speak: callbacks of a cell that has
 * ended go on writing here.
 */
export interface CellOutputs {
  stream(name: "stdout" | "stderr", text: string): void;
  display(bundle: MimeBundle, metadata: Metadata, displayId: string): void;
  updateDisplay(bundle: MimeBundle, metadata: Metadata, displayId: string): void;
  clear(wait: boolean): void;
  result(executionCount: number, bundle: MimeBundle, metadata: Metadata): void;
  error(error: ErrorContent): void;
  /** Asks the user for a line and blocks until it is there; absent where nobody can be asked. */
  input?(prompt: string, password: boolean): string;
}
