/// <reference lib="esnext" />
// What the kernel puts beside Node's own globals. Read by the language service; nothing imports it.

interface MillraceDisplayHandle {
  /** The display's id. */
  readonly id: string;
  /** Shows another value in the same place. */
  update(value: unknown): void;
}

/**
 * Shows a value below the cell: a frame, a figure, an error, a `{ mime: data }` bundle, anything with `Symbol.for("Jupyter.display")`.
 * Returns a handle whose `update` changes what is shown.
 */
declare function display(
  value: unknown,
  options?: { id?: string; metadata?: Record<string, unknown> },
): MillraceDisplayHandle;

/** Shows a value in the client's pager, where it has one, rather than below the cell. */
declare function page(value: unknown): void;

/** Asks for a line of text and waits for it. `{ password: true }` hides what is typed. Null when the cell is run without anybody to ask. */
declare function prompt(message?: string, options?: string | { default?: string; password?: boolean }): string | null;

/** Asks for yes or no and waits for it. */
declare function confirm(message?: string): boolean;

/** Removes what the cell has shown so far; with `wait`, only when the next output arrives. */
declare function clearOutput(options?: { wait?: boolean }): void;

/** The cell whose code is running. */
declare const cell: {
  /** The notebook's id of the cell. */
  readonly id: string;
  /** Aborted when the cell is interrupted, run again or deleted, and when the kernel stops. */
  readonly signal: AbortSignal;
};

interface MillraceComm {
  readonly id: string;
  readonly target: string;
  /** Sends a message to the other side; `buffers` travel as they are. */
  send(data: unknown, options?: { metadata?: Record<string, unknown>; buffers?: readonly ArrayBufferView[] }): void;
  close(data?: unknown): void;
  onMessage: ((data: any, buffers: readonly Uint8Array[]) => void) | undefined;
  onClose: ((data: any) => void) | undefined;
}

/** Jupyter comms: open one to the front end, or answer those it opens. */
declare const comm: {
  open(
    target: string,
    data?: unknown,
    options?: { metadata?: Record<string, unknown>; buffers?: readonly ArrayBufferView[] },
  ): MillraceComm;
  /** Calls `opened` for each comm the front end opens with this target name. */
  register(target: string, opened: (comm: MillraceComm, data: any, buffers: readonly Uint8Array[]) => void): void;
  unregister(target: string): void;
};

/** Node has it, and its types leave it to those of the browser. */
declare namespace WebAssembly {
  type Module = {};
  interface Instance {
    readonly exports: Record<string, any>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  type Imports = Record<string, Record<string, unknown>>;
  var Module: { new (bytes: ArrayBuffer | ArrayBufferView): Module };
  var Instance: { new (module: Module, imports?: Imports): Instance };
  var Memory: { new (pages: { initial: number; maximum?: number; shared?: boolean }): Memory };
  var Table: any;
  var Global: any;
  function validate(bytes: ArrayBuffer | ArrayBufferView): boolean;
  function compile(bytes: ArrayBuffer | ArrayBufferView): Promise<Module>;
  function instantiate(
    bytes: ArrayBuffer | ArrayBufferView,
    imports?: Imports,
  ): Promise<{ readonly module: Module; readonly instance: Instance }>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
