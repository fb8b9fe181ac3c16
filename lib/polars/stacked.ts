import pl from "nodejs-polars";

/** `pl.concat` stacks frame upon frame, and each step copies the list of all before: of so many at a time that costs nothing. */
const AT_ONCE = 64;

/** Many frames, at least one, below each other in one piece of memory. */
export function stacked(frames: readonly pl.DataFrame[]): pl.DataFrame {
  let level = frames;
  while (level.length > 1) {
    const groups: pl.DataFrame[] = [];
    for (let at = 0; at < level.length; at += AT_ONCE) {
      const group = level.slice(at, at + AT_ONCE);
      groups.push(group.length === 1 ? group[0]! : pl.concat(group));
    }
    level = groups;
  }
  return level[0]!;
}
