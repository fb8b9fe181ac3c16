// The language thread: TypeScript lives here, so that completion answers while a cell is busy.
import { enableCompileCache } from "node:module";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { LanguageAnswer, LanguageQuestion } from "./client.ts";

enableCompileCache();
const { CellLanguage } = await import("./cell-language.ts");
const language = new CellLanguage((workerData as { cwd: string }).cwd);

/** When the last question was answered; undefined before a cell was compiled. */
let askedAt: number | undefined;
parentPort!.on("message", (port: MessagePort) => {
  port.on("message", ({ id, method, parameters }: LanguageQuestion) => {
    port.postMessage(answer(id, method, parameters));
    if (method === "compile" || askedAt !== undefined) askedAt = performance.now();
  });
});
language.warmUp();
// Whatever was asked meanwhile is answered first.
setTimeout(() => language.warmUpLibrary(), 20);

/** Small ones, since a question that comes meanwhile waits for the end of it. */
const REHEARSALS = 20;
/** Nobody has asked for so long, ms. */
const IDLE = 1000;
let rehearsed = 0;
const rehearsing = setInterval(() => {
  if (askedAt === undefined || performance.now() - askedAt < IDLE) return;
  language.rehearse();
  if (++rehearsed === REHEARSALS) clearInterval(rehearsing);
}, 100);

function answer(id: number, method: LanguageQuestion["method"], parameters: readonly unknown[]): LanguageAnswer {
  try {
    const ask = language[method] as (...parameters: readonly unknown[]) => unknown;
    return { id, value: ask.apply(language, parameters as unknown[]) };
  } catch (error) {
    return { id, error: error as Error };
  }
}
