import { currentRun } from "./cell-run.ts";
import type { CellScripts } from "./cell-scripts.ts";
import { errorContent } from "./error-content.ts";
import type { KernelHost } from "./notebook-host.ts";

/** An error nobody caught, in a timer or a forgotten promise, is told in the cell that caused it; the kernel lives on. */
export function routeErrors(host: KernelHost, scripts: CellScripts): void {
  const tell = (error: unknown, how: string) => {
    const run = host.cell();
    const text = `${how}\n${errorContent(error, scripts).traceback.join("\n")}\n`;
    if (run === undefined) process.stderr.write(text);
    else if (!run.signal.aborted || error !== run.signal.reason) run.write("stderr", text);
  };
  // Node's own warnings about the kernel stay unsaid; those a cell causes with `process.emitWarning` are told.
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...more: unknown[]) => {
    const run = currentRun.getStore();
    const experimental = more[0] === "ExperimentalWarning";
    if (run !== undefined && !experimental) run.write("stderr", `${warning}\n`);
    return (emitWarning as (...parameters: unknown[]) => void).call(process, warning, ...more);
  }) as typeof process.emitWarning;
  const uncaught = (error: unknown) => tell(error, "Uncaught, after the cell had gone on:");
  const unhandled = (error: unknown) => tell(error, "A promise failed and nobody awaited it:");
  const listen = () => {
    if (!process.listeners("uncaughtException").includes(uncaught)) process.on("uncaughtException", uncaught);
    if (!process.listeners("unhandledRejection").includes(unhandled)) process.on("unhandledRejection", unhandled);
  };
  listen();
  // A cell that removes all listeners means its own: without these the next forgotten promise would end the kernel.
  const { removeAllListeners } = process;
  process.removeAllListeners = ((...events: unknown[]) => {
    Reflect.apply(removeAllListeners, process, events);
    listen();
    return process;
  }) as typeof process.removeAllListeners;
}
