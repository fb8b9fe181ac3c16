import pl from "nodejs-polars";

/**
 * A frame of these columns under their own names. `pl.DataFrame` names a column of an empty name anew, and the series that was given with it.
 */
export function frameOf(columns: readonly pl.Series[]): pl.DataFrame {
  const names = columns.map(({ name }) => name);
  if (!names.includes("")) return pl.DataFrame([...columns]);
  const beside = pl.DataFrame([pl.Series("\u0000beside", new Int32Array(columns[0]!.length))]);
  return (beside.hstack([...columns]) as unknown as pl.DataFrame).select(...names);
}
