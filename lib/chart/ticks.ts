const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
/** Distances between marks of a time axis that people read at a glance, ms. */
const SPANS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((count) => count * DAY),
];

/** Round numbers from `min` to `max`: steps of 1, 2 or 5 times a power of ten, about `wanted` of them. */
export function roundTicks(min: number, max: number, wanted: number): number[] {
  const rough = (max - min) / wanted;
  if (!(rough > 0) || !Number.isFinite(rough)) return [min];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  return multiples(min, max, step);
}

/** Instants of whole seconds, minutes, hours or days between two, in ms. */
export function timeTicks(min: number, max: number, wanted: number): number[] {
  const rough = (max - min) / wanted;
  if (!(rough > 0) || !Number.isFinite(rough)) return [min];
  return multiples(min, max, SPANS.find((span) => span >= rough) ?? Math.ceil(rough / (365 * DAY)) * 365 * DAY);
}

function multiples(min: number, max: number, step: number): number[] {
  const ticks: number[] = [];
  // by whole steps, not by adding: errors of floats would add up
  for (let i = Math.ceil(min / step); i * step <= max && ticks.length < 50; i++) ticks.push(i * step);
  return ticks;
}
