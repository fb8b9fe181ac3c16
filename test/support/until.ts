/** Polls `condition` until it gives something truthy, or throws after `deadline` ms naming what was awaited. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadline = 30_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<T>;
    if (Date.now() > end) throw new Error(`waited ${deadline} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
