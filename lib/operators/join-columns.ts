import { Refusal } from "../error.ts";

/** A column of one side and its name in the result. */
export interface JoinedColumn {
  readonly from: string;
  readonly to: string;
}

/** The columns of a join's result: those of the left side, then those of the right. */
export interface JoinedColumns {
  readonly left: readonly JoinedColumn[];
  readonly right: readonly JoinedColumn[];
}

/**
 * Names the columns of a result as Polars does: the columns that were compared are given once (twice by a full join that does not coalesce),
 * and a right column whose name the left side has gets the suffix.
 * @param left value columns, without metadata; so is `right`
 * @param dropped columns of either side that the other one stands for
 * @throws Refusal `DUPLICATE_COLUMN` where the name with the suffix is taken, too
 */
export function joinedColumns(
  left: readonly string[],
  right: readonly string[],
  dropped: { readonly left: readonly string[]; readonly right: readonly string[] },
  suffix: string,
  where: string,
): JoinedColumns {
  const kept = left.filter((name) => !dropped.left.includes(name));
  const taken = new Set(kept);
  const named = right
    .filter((name) => !dropped.right.includes(name))
    .map((from) => ({ from, to: taken.has(from) ? `${from}${suffix}` : from }));
  const seen = new Set(kept);
  for (const { from, to } of named) {
    if (!seen.has(to) && (to === from || !right.includes(to) || dropped.right.includes(to))) {
      seen.add(to);
      continue;
    }
    throw new Refusal({
      code: "DUPLICATE_COLUMN",
      what: `two columns of the join would be named "${to}"`,
      where,
      remedies: [
        `another suffix: { suffix: "_other" }`,
        `rename or drop it before the join: .rename({ "${from}": "…" })`,
      ],
    });
  }
  return { left: kept.map((name) => ({ from: name, to: name })), right: named };
}
