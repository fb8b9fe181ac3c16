// Preloaded (`node --import`) by the job of the clock drill: its wall clock jumps about, while timers and the monotonic clock go on.
const HOUR = 3600_000;
const JUMPS = [3 * HOUR, -5 * HOUR, 0, -2000, 5 * HOUR, 0];
const real = Date.now;
let ahead = 0;
let jump = 0;
Date.now = () => real() + ahead;
globalThis.Date = new Proxy(Date, {
  construct: (target, given) => (given.length === 0 ? new target(target.now()) : Reflect.construct(target, given)),
});
setInterval(() => {
  ahead = JUMPS[jump++ % JUMPS.length] as number;
  console.error(`the clock jumps by ${ahead} ms`);
}, 400).unref();
