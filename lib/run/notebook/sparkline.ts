import { whole } from "./numbers.ts";

/** px */
export const SPARKLINE = { width: 90, height: 16 } as const;
const POINTS = 60;

/** A second with more than so many times what others have is cut off at the top: what is read at first, to catch up, would make a flat line of the rest. */
const PEAK = 4;

/** One point a second, as an SVG polyline has them: from the left on until a minute is full. */
export function sparklinePoints(perSecond: readonly number[]): string {
  const { width, height } = SPARKLINE;
  const some = perSecond.filter((value) => value > 0).sort((a, b) => a - b);
  const top = Math.max(1, Math.min(some.at(-1) ?? 0, PEAK * (some[Math.floor((some.length - 1) / 2)] ?? 0)));
  const at = (value: number, i: number) =>
    `${((i / (POINTS - 1)) * width).toFixed(1)},${(height - 1 - Math.min(1, value / top) * (height - 2)).toFixed(1)}`;
  return perSecond.slice(-POINTS).map(at).join(" ");
}

/** The same in words. */
export function sparklineText(perSecond: readonly number[]): string {
  const count = perSecond.length;
  const span = count === 1 ? "in one second" : `in each of ${count} seconds`;
  return `records read ${span}: ${whole(perSecond.at(-1) ?? 0)} in the last, ${whole(Math.max(0, ...perSecond))} at most`;
}

/** For the saved notebook: without script or style sheet. Nothing where there is no line to see. */
export function sparklineHtml(perSecond: readonly number[]): string {
  if (perSecond.length < 2) return "";
  const { width, height } = SPARKLINE;
  const text = sparklineText(perSecond);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${text}" width="${width}" height="${height}">` +
    `<title>${text}</title><polyline points="${sparklinePoints(perSecond)}" fill="none" stroke="currentColor"/></svg> `
  );
}
