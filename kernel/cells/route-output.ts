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
    const write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const run = runOf();
      if (run === undefined) return toTerminal(chunk, encoding as BufferEncoding, done as () => void);
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      run.write(name, text);
      const callback = typeof encoding === "function" ? encoding : done;
      if (typeof callback === "function") queueMicrotask(callback as () => void);
      return true;
    };
    stream.write = write as Write;
  }
}
