/** Jupyter counts code points, JavaScript UTF-16 units: they differ after every character beyond the basic plane. */
export function unitsFromCodePoints(text: string, codePoints: number): number {
  let units = 0;
  for (let seen = 0; seen < codePoints && units < text.length; seen++)
    units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  return units;
}

export function codePointsFromUnits(text: string, units: number): number {
  let codePoints = 0;
  for (let at = 0; at < units && at < text.length; codePoints++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return codePoints;
}
