import os from "node:os";

type Cancel = "SIGINT" | "SIGTERM";
const CANCELS: readonly Cancel[] = ["SIGINT", "SIGTERM"];

/**
 * Work that Ctrl-C or SIGTERM ends: its signal is aborted, so that it ends what it has started and removes what it has laid down; a second one ends the
 * process as it stands. Undefined when it was cancelled; the exit code is then the shells' 130 or 143.
 * @param done what is so then, for people
 */
export async function cancellable<T>(
  work: (signal: AbortSignal) => Promise<T>,
  done = "nothing was written",
): Promise<T | undefined> {
  const abort = new AbortController();
  const cancel = (signal: Cancel) => {
    for (const one of CANCELS) process.off(one, cancel);
    process.exitCode = 128 + os.constants.signals[signal];
    abort.abort();
  };
  for (const one of CANCELS) process.on(one, cancel);
  try {
    return await work(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    console.error(`cancelled: ${done}`);
    return undefined;
  } finally {
    for (const one of CANCELS) process.off(one, cancel);
  }
}
