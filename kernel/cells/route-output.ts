import { StringDecoder } from "node:string_decoder";
import type { CellRun } from "./cell-run.ts";

type Write = NodeJS.WriteStream["write"];

/**
 * Sends what is written to `process.stdout` and `process.stderr`, and so by `console`, to the cell that caused it, also after its end.
 *
 * @param runOf the execution that the running code belongs to; what belongs to none goes where it always went
 */
export function routeOutput(runOf: () => CellRun | undefined): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = process[name];
    const toTerminal = stream.write.bind(stream) as Write;
    const toEnd = stream.end.bind(stream) as (...parameters: unknown[]) => typeof stream;
    const decoders = new WeakMap<CellRun, StringDecoder>();
    /** Bytes may be cut anywhere, also within a character. */
    const decoded = (run: CellRun, chunk: Uint8Array): string => {
      const decoder = decoders.get(run) ?? new StringDecoder("utf8");
      decoders.set(run, decoder);
      return decoder.write(Buffer.from(chunk));
    };
    const write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const run = runOf();
      if (run === undefined) return toTerminal(chunk, encoding as BufferEncoding, done as () => void);
      run.write(name, typeof chunk === "string" ? chunk : decoded(run, chunk));
      const callback = typeof encoding === "function" ? encoding : done;
      if (typeof callback === "function") queueMicrotask(callback as () => void);
      return true;
    };
    stream.write = write as Write;
    // A cell may end its output, not the kernel's.
    stream.end = ((...parameters: unknown[]) => {
      if (runOf() === undefined) return toEnd(...parameters);
      if (typeof parameters[0] === "string" || parameters[0] instanceof Uint8Array) write(...(parameters as [string]));
      return stream;
    }) as typeof stream.end;
    const destroy = stream.destroy.bind(stream);
    stream.destroy = ((error) => (runOf() === undefined ? destroy(error) : stream)) as typeof stream.destroy;
  }
}
