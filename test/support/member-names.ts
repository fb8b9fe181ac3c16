/** The names of what an object of nodejs-polars has: its own, or in a prototype where lib/polars/fast-objects.ts was at work. */
export function memberNames(object: object): string[] {
  const names: string[] = [];
  for (const name in object) names.push(name);
  return names;
}
