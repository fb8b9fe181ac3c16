import pl from "nodejs-polars";

/** `expr.over(keys)`; there is at least one key. */
export function perKey(expr: pl.Expr, keys: readonly (string | pl.Expr)[]): pl.Expr {
  const [first, ...rest] = keys;
  return expr.over(first!, ...rest);
}

/** One expression per column. To be built once, not per batch: nodejs-polars takes long to make an expression of a name. */
export function columns(names: readonly string[]): pl.Expr[] {
  return names.map((name) => pl.col(name));
}

/** Columns under other names, for a frame's select. */
export function renamed(from: readonly string[], to: readonly string[]): pl.Expr[] {
  return from.map((name, i) => (name === to[i] ? pl.col(name) : pl.col(name).alias(to[i]!)));
}

/** Two frames of the same height side by side. */
export function beside(left: pl.DataFrame, right: pl.DataFrame): pl.DataFrame {
  return left.hstack(right) as unknown as pl.DataFrame;
}

/** The names, those that are taken already (by one before, or by one of `reserved`) with a number behind them. */
export function unique(names: readonly string[], reserved: readonly string[] = []): string[] {
  const taken = new Set(reserved);
  const wanted = new Set(names);
  return names.map((name) => {
    let free = name;
    for (let i = 2; taken.has(free) || (free !== name && wanted.has(free)); i++) free = `${name}_${i}`;
    taken.add(free);
    return free;
  });
}

/** A column of Int64 without a value. */
export function nullInt(name: string): pl.Expr {
  return pl
    .lit(null as unknown as number)
    .cast(pl.Int64)
    .alias(name);
}
