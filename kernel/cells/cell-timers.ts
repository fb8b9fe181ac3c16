import { currentRun } from "./cell-run.ts";

type Callback = (...parameters: unknown[]) => void;

/**
 * `setTimeout` and its kin as a cell's own code sees them: what it starts stops when the cell is re-run, deleted or interrupted. Libraries use
 * Node's own, so that a connection shared between cells outlives the cell that made it.
 */
export const cellTimers = {
  setTimeout: Object.assign(
    (callback: Callback, ms?: number, ...parameters: unknown[]) =>
      once(setTimeout, clearTimeout, callback, ms, ...parameters),
    promisified(setTimeout),
  ),
  setInterval: (callback: Callback, ms?: number, ...parameters: unknown[]) => {
    const timer = setInterval(callback, ms, ...parameters);
    currentRun.getStore()?.lifetime.onEnd(() => clearInterval(timer));
    return timer;
  },
  setImmediate: Object.assign(
    (callback: Callback, ...parameters: unknown[]) => once(setImmediate, clearImmediate, callback, ...parameters),
    promisified(setImmediate),
  ),
};

/** Starts a timer that fires once; when it has fired the cell need not remember it. */
function once<T>(
  start: (callback: Callback, ...parameters: any[]) => T,
  clear: (timer: T) => void,
  callback: Callback,
  ...parameters: unknown[]
): T {
  const run = currentRun.getStore();
  if (run === undefined || typeof callback !== "function") return start(callback, ...parameters);
  const fired: Callback = (...values) => {
    forget();
    callback(...values);
  };
  const timer = start(fired, ...parameters);
  const forget = run.lifetime.onEnd(() => clear(timer));
  return timer;
}

/** `util.promisify(setTimeout)` finds Node's promise variant by a symbol on the function. */
function promisified(timer: object): object {
  const custom = Symbol.for("nodejs.util.promisify.custom");
  return { [custom]: (timer as Record<symbol, unknown>)[custom] };
}
