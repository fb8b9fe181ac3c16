import childProcess, { type ChildProcess } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import type { Readable } from "node:stream";
import { currentRun } from "./cell-run.ts";

const STREAMS = ["stdout", "stderr"] as const;
type Stdio = readonly unknown[];

/**
 * What a child process of a cell prints with `stdio: "inherit"` is the cell's output: the kernel's own standard streams lead to the terminal of the notebook
 * server, where nobody looks.
 */
export function routeChildren(): void {
  const prototype = childProcess.ChildProcess.prototype as unknown as { spawn(options: { stdio?: unknown }): unknown };
  const { spawn } = prototype;
  prototype.spawn = function (this: ChildProcess, options: { stdio?: unknown }) {
    const inherited = currentRun.getStore() === undefined ? [] : inheritedStreams(options.stdio);
    const result = spawn.call(this, inherited.length === 0 ? options : { ...options, stdio: piped(options.stdio) });
    for (const name of inherited)
      (this[name] as Readable | null)?.on("data", (chunk: Uint8Array) => process[name].write(chunk));
    return result;
  };
  for (const name of ["spawnSync", "execFileSync", "execSync"] as const) {
    const original = childProcess[name] as (...parameters: unknown[]) => unknown;
    Reflect.set(childProcess, name, (...parameters: unknown[]) => runSync(original, parameters));
  }
  syncBuiltinESMExports();
}

interface Output {
  readonly stdout?: unknown;
  readonly stderr?: unknown;
}

/**
 * Synchronous children print all at once, at their end. `spawnSync` gives what they printed; the others give stdout alone, or null where that was not piped, and
 * write stderr to the kernel's, which is routed, where they are told nothing of `stdio`.
 */
function runSync(run: (...parameters: unknown[]) => unknown, parameters: readonly unknown[]): unknown {
  const at = parameters.findLastIndex((each) => typeof each === "object" && each !== null && !Array.isArray(each));
  const options = at === -1 ? undefined : (parameters[at] as { stdio?: unknown });
  const inherited = options === undefined || currentRun.getStore() === undefined ? [] : inheritedStreams(options.stdio);
  if (inherited.length === 0) return run(...parameters);
  const isSpawn = run.name === "spawnSync";
  const stdio = !isSpawn && inherited.includes("stderr") ? undefined : piped(options!.stdio);
  const print = (output: Output) => {
    for (const name of inherited) {
      const printed = output[name];
      const isPrinted = isSpawn || name === "stdout";
      if (isPrinted && (typeof printed === "string" || printed instanceof Uint8Array)) process[name].write(printed);
    }
  };
  try {
    const result = run(...parameters.with(at, { ...options, stdio }));
    print(isSpawn ? (result as Output) : { stdout: result });
    return isSpawn || entries(options!.stdio)[1] === "pipe" ? result : null;
  } catch (error) {
    print(error as Output);
    throw error;
  }
}

/** `"inherit"`, or an entry that says so or names the stream, by number or itself. */
function inheritedStreams(stdio: unknown): (typeof STREAMS)[number][] {
  return STREAMS.filter((name, at) => isInherited(entries(stdio)[at + 1], name, at + 1));
}

const isInherited = (entry: unknown, name: (typeof STREAMS)[number], fd: number) =>
  entry === "inherit" || entry === fd || entry === process[name];

const piped = (stdio: unknown): Stdio =>
  entries(stdio).map((entry, fd) => (fd > 0 && fd < 3 && isInherited(entry, STREAMS[fd - 1]!, fd) ? "pipe" : entry));

const entries = (stdio: unknown): Stdio =>
  Array.isArray(stdio) ? stdio : stdio === "inherit" ? ["inherit", "inherit", "inherit"] : [];
